// SPDX-License-Identifier: GPL-3.0-or-later

//! A catalogue to fetch from: connected to when it is needed, and believed when its signature is right.

use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use image_catalog::catalogue::Catalogue;
use image_catalog::meta::{META_LIMIT, Meta, Source};
use image_catalog::signature::Trust;
use image_catalog::signed_archive::ARCHIVE_LIMIT;
use image_catalog::transport::{Folder, Http, HttpOptions, Location, Pace, Transport};

use crate::access::Access;
use crate::{pkg, ssh};

/// How long to wait before a broken http transfer is taken up again.
const PAUSE: Duration = Duration::from_secs(2);

/// How often the two lists are read until they agree.
const ATTEMPTS: usize = 5;

/// A catalogue by its places, which all have the same one: what is signed and what was seen before counts for all of them.
pub struct Repository {
    places: Vec<Access>,
    /// The place that is asked; the others are asked where it fails.
    at: usize,
    trust: Trust,
    transport: Option<Box<dyn Transport>>,
    /// Why places were left, for the user to know.
    remarks: Vec<String>,
}

/// The lists of a catalogue, each with a right signature.
pub struct Lists {
    /// What `data.pkg` lists.
    pub catalogue: Catalogue,
    /// The bytes of `packagesite.pkg`.
    pub packagesite: Vec<u8>,
    /// The bytes of `data.pkg`.
    pub data: Vec<u8>,
    agree: bool,
}

impl Repository {
    /// The catalogue that options describe, at each of its places; nothing is connected to yet.
    ///
    /// # Errors
    /// Where the keys to believe cannot be read, or pkg(8) is not configured for a repository called so.
    pub fn new(mut places: Vec<Access>) -> Result<Self> {
        let is_alone = places.len() == 1;
        for access in &mut places {
            if let Location::Configured(name) = &access.location {
                ensure!(
                    is_alone,
                    "option `repository` names {name}, a repository of pkg(8), among others: it has keys of its own; name its URL"
                );
                *access = pkg::configured(name, access)?;
            }
        }
        let first = places.first().context("option `repository` names no place")?;
        Ok(Self { trust: first.trust.load()?, places, at: 0, transport: None, remarks: Vec::new() })
    }

    /// Where it is asked.
    pub fn location(&self) -> &Location {
        &self.access().location
    }

    /// Wherever it is, what is asked first in front.
    pub fn locations(&self) -> impl Iterator<Item = &Location> {
        self.places.iter().map(|access| &access.location)
    }

    fn access(&self) -> &Access {
        &self.places[self.at]
    }

    /// Does something at the place that is asked, or else at the others in turn. What went well last is asked first from then on.
    ///
    /// # Errors
    /// Where it fails everywhere.
    pub fn anywhere<T>(&mut self, mut work: impl FnMut(&mut Self) -> Result<T>) -> Result<T> {
        let mut failures = Vec::new();
        loop {
            match work(self) {
                Ok(done) => {
                    self.remarks.extend(failures);
                    return Ok(done);
                }
                Err(error) if self.places.len() == 1 => return Err(error),
                Err(error) => failures.push(format!("{error:#}")),
            }
            self.disconnect();
            self.at = (self.at + 1) % self.places.len();
            ensure!(
                failures.len() < self.places.len(),
                "all {} places of the catalogue have failed: {}",
                self.places.len(),
                failures.join("; ")
            );
        }
    }

    /// Why places were left since this was asked.
    pub fn remarks(&mut self) -> Vec<String> {
        std::mem::take(&mut self.remarks)
    }

    /// What makes it believable.
    pub fn trust(&self) -> &Trust {
        &self.trust
    }

    /// Reads the list of images.
    ///
    /// # Errors
    /// Where the place does not answer in time, or the list is not signed as it must be.
    pub fn catalogue(&mut self) -> Result<Catalogue> {
        let doing = format!("reading the catalogue of {}", self.location());
        self.read_catalogue().context(doing)
    }

    /// The way to the place, connected to it.
    ///
    /// # Errors
    /// Where it cannot be reached.
    pub fn transport(&mut self) -> Result<&mut dyn Transport> {
        let transport = match self.transport.take() {
            Some(transport) => transport,
            None => connect(self.access())?,
        };
        Ok(&mut **self.transport.insert(transport))
    }

    /// Lets the connection go before a wait that it might not survive.
    pub fn disconnect(&mut self) {
        self.transport = None;
    }

    /// Reads both archives that list the packages, which must agree: for a copy of the whole.
    ///
    /// # Errors
    /// As [`Repository::catalogue`], and where one of the two is missing or not called as usual.
    pub fn lists(&mut self) -> Result<Lists> {
        let doing = format!("reading the catalogue of {}", self.location());
        for _ in 0..ATTEMPTS {
            let lists = self.read_lists().context(doing.clone())?;
            if lists.agree {
                return Ok(lists);
            }
            // Its publisher was between writing the one and the other.
            thread::sleep(PAUSE);
        }
        bail!("{doing}: its two lists, packagesite.pkg and data.pkg, name different packages")
    }

    fn read_lists(&mut self) -> Result<Lists> {
        let trust = self.trust.clone();
        let meta = self.read_meta()?;
        ensure!(meta.is_usual(), "its {} gives its lists other names than usual", Meta::path());
        let [data_source, packagesite_source] = meta.sources()?;
        let transport = self.transport()?;
        let mut read = |source: &Source| {
            let archive = transport.read_all(&source.path, ARCHIVE_LIMIT)?;
            let archive = archive.with_context(|| format!("there is no {}", source.path))?;
            anyhow::Ok((Catalogue::read(archive.as_slice(), source, &trust)?, archive))
        };
        // A publisher writes them in this order.
        let (same, packagesite) = read(&packagesite_source)?;
        let (catalogue, data) = read(&data_source)?;
        Ok(Lists { agree: same.lists_the_same_as(&catalogue), catalogue, packagesite, data })
    }

    fn read_meta(&mut self) -> Result<Meta> {
        if let Some(meta) = self.transport()?.read_all(&Meta::path(), META_LIMIT)? {
            return Meta::parse(&meta);
        }
        ensure!(
            self.transport()?.open(&Meta::path_of_old(), 0)?.is_none(),
            "there is no {} but a {}, so it was written by a pkg before 1.17: have `pkg repo` of a newer one write it anew",
            Meta::path(),
            Meta::path_of_old()
        );
        bail!("there is no {}, so this is not a repository of packages", Meta::path())
    }

    fn read_catalogue(&mut self) -> Result<Catalogue> {
        let trust = self.trust.clone();
        let sources = self.read_meta()?.sources()?;
        let transport = self.transport()?;
        for source in &sources {
            if let Some(archive) = transport.read_all(&source.path, ARCHIVE_LIMIT)? {
                return Catalogue::read(archive.as_slice(), source, &trust);
            }
        }
        bail!("there is neither {} nor {}", sources[0].path, sources[1].path)
    }
}

fn connect(access: &Access) -> Result<Box<dyn Transport>> {
    let pace = Pace { patience: access.timeout.duration() };
    match &access.location {
        Location::Folder(folder) => Ok(Box::new(Folder::new(folder.clone())?)),
        Location::Http(base) => {
            let options = HttpOptions { ca_path: access.ca_path.clone(), pace, pause: PAUSE };
            Ok(Box::new(Http::new(base.clone(), options)?))
        }
        Location::Ssh(address) => Ok(Box::new(ssh::connect(address, &access.ssh, pace)?)),
        Location::Configured(name) => bail!("connecting to repository {name}: its place is not known"),
    }
}
