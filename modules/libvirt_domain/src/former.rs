// SPDX-License-Identifier: GPL-3.0-or-later

//! A domain under the name that it had. libvirt's driver for bhyve renames none, so one definition goes before the other comes: what only
//! the first one knew is noted in a file between the two.

use std::fs;
use std::path::{Path, PathBuf};

use ansible_module::files;
use anyhow::{Context, Result};
use nix::unistd::Uid;
use roxmltree::Document;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::autostart::Start;
use crate::bhyve;
use crate::document::child;
use crate::guest::Form;
use crate::hypervisor::Hypervisor;
use crate::names::DomainName;
use crate::observe::{Found, look_at};
use crate::params::Params;

/// Where root's notes are: a host that goes down between the two definitions still has them.
const FOLDER: &str = "/var/db/apiary/renames";

/// The same of another user, in the home folder.
const OF_USER: &str = ".local/state/apiary.bhyve/renames";

/// A domain under the name that it had.
#[derive(Debug)]
pub struct Former {
    /// What has to be known of it.
    pub known: Known,
    /// The domain itself, where it still has that name.
    pub found: Option<Found>,
}

/// What a domain keeps when it gets another name, and the XML that it is given may not say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    /// The name that it had.
    pub name: DomainName,
    /// The name that it gets.
    pub becomes: DomainName,
    /// Where it is.
    pub uri: String,
    /// Its UUID.
    pub uuid: Uuid,
    /// The MAC address of each of its interfaces.
    pub macs: Vec<String>,
    /// How it starts with the host.
    pub start: Start,
    /// The variables of its firmware.
    pub nvram: Option<PathBuf>,
}

impl Former {
    /// The domain that `params` would rename, or what a run that was cut has noted of it.
    ///
    /// # Errors
    /// Where libvirt cannot tell, or the note cannot be read.
    pub(crate) fn look(params: &Params, hypervisor: &Hypervisor) -> Result<Option<Self>> {
        let Some(name) = &params.renamed_from else { return Ok(None) };
        let Some(guest) = hypervisor.guest(name)? else {
            let noted = read(&note(name)?)?.filter(|known| known.is_of(params));
            return Ok(noted.map(|known| Self { known, found: None }));
        };
        let doing = || format!("looking at domain {name}");
        let mut found = look_at(&guest, hypervisor.uri()).with_context(doing)?;
        if !bhyve::is_bhyve(hypervisor.uri()) {
            found.snapshots = guest.snapshots().with_context(doing)?;
            found.checkpoints = guest.checkpoints(hypervisor.uri()).with_context(doing)?;
        }
        let known = Known {
            name: name.clone(),
            becomes: params.name.clone(),
            uri: hypervisor.uri().to_string(),
            uuid: found.uuid,
            macs: found.defined.macs.clone(),
            start: found.start,
            nvram: nvram(&guest.xml(Form::Defined).with_context(doing)?)?,
        };
        Ok(Some(Self { known, found: Some(found) }))
    }
}

impl Known {
    fn is_of(&self, params: &Params) -> bool {
        self.becomes == params.name && self.uri == params.connection().to_string()
    }

    /// Writes it down.
    ///
    /// # Errors
    /// Where that cannot be done.
    pub(crate) fn write(&self) -> Result<()> {
        let path = note(&self.name)?;
        let folder = path.parent().unwrap_or(Path::new("/"));
        files::make_folder(folder, 0o700)?;
        let text = serde_json::to_vec(self).context("noting what is known of the domain")?;
        files::write_atomically(&path, 0o600, &text)
    }

    /// Removes what was written.
    ///
    /// # Errors
    /// Where that cannot be done.
    pub(crate) fn forget(&self) -> Result<()> {
        files::remove_if_there(&note(&self.name)?)
    }

    /// Gives the variables of its firmware the name under which they are looked for, where their name shows that they are its own.
    ///
    /// # Errors
    /// Where they cannot be renamed.
    pub(crate) fn move_nvram(&self) -> Result<()> {
        let Some(from) = self.nvram.as_deref().filter(|path| path.is_absolute()) else { return Ok(()) };
        let file = from.file_name().unwrap_or_default().to_string_lossy();
        let Some(rest) = file.strip_prefix(self.name.as_str()).filter(|rest| rest.starts_with("_VARS"))
        else {
            return Ok(());
        };
        let to = from.with_file_name(format!("{}{rest}", self.becomes));
        let regular = fs::symlink_metadata(from).is_ok_and(|metadata| metadata.is_file());
        if !regular || fs::symlink_metadata(&to).is_ok() {
            return Ok(());
        }
        fs::rename(from, &to).with_context(|| format!("renaming {} to {}", from.display(), to.display()))
    }
}

fn note(name: &DomainName) -> Result<PathBuf> {
    let folder = match Uid::effective().is_root() {
        true => PathBuf::from(FOLDER),
        false => std::env::home_dir()
            .context("looking for the home folder: expected one, found none")?
            .join(OF_USER),
    };
    Ok(folder.join(format!("{name}.json")))
}

fn read(path: &Path) -> Result<Option<Known>> {
    let doing = || format!("reading {}, what a run that was cut has noted of a domain", path.display());
    let Some(text) = files::if_there(fs::read(path)).with_context(doing)? else { return Ok(None) };
    serde_json::from_slice(&text).map(Some).with_context(doing)
}

fn nvram(xml: &str) -> Result<Option<PathBuf>> {
    let document = Document::parse(xml).context("reading libvirt's XML of the domain")?;
    let nvram = child(document.root_element(), "os").and_then(|os| child(os, "nvram"));
    Ok(nvram.and_then(|nvram| nvram.text()).map(|text| PathBuf::from(text.trim())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(nvram: Option<PathBuf>) -> Known {
        let name = |text: &str| DomainName::try_from(text.to_owned()).unwrap();
        Known {
            name: name("web1"),
            becomes: name("www1"),
            uri: "bhyve:///system".to_owned(),
            uuid: Uuid::from_u128(7),
            macs: vec!["58:9c:fc:a9:41:71".to_owned()],
            start: Start { marked: true, turn: None },
            nvram,
        }
    }

    #[test]
    fn what_is_noted_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("web1.json");
        assert_eq!(read(&path).unwrap(), None);
        let noted = known(Some("/nvram/web1_VARS.fd".into()));
        fs::write(&path, serde_json::to_vec(&noted).unwrap()).unwrap();
        assert_eq!(read(&path).unwrap(), Some(noted));
        fs::write(&path, "{").unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("has noted of a domain"));
    }

    #[test]
    fn only_its_own_nvram_goes_with_a_domain() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for (from, to) in [("web1_VARS.fd", "www1_VARS.fd"), ("web11_VARS.fd", "web11_VARS.fd")] {
            fs::write(at(from), from).unwrap();
            known(Some(at(from))).move_nvram().unwrap();
            assert_eq!(fs::read_to_string(at(to)).unwrap(), from);
        }
        // What the new name has already is not written over.
        fs::write(at("web1_VARS.fd"), "other").unwrap();
        known(Some(at("web1_VARS.fd"))).move_nvram().unwrap();
        assert_eq!(fs::read_to_string(at("www1_VARS.fd")).unwrap(), "web1_VARS.fd");
        known(None).move_nvram().unwrap();
    }

    #[test]
    fn nvram_is_found_in_the_xml() {
        let xml = "<domain><os><nvram template='/t.fd'>/nvram/web1_VARS.fd</nvram></os></domain>";
        assert_eq!(nvram(xml).unwrap(), Some("/nvram/web1_VARS.fd".into()));
        assert_eq!(nvram("<domain/>").unwrap(), None);
    }
}
