// SPDX-License-Identifier: GPL-3.0-or-later

//! Where the files of a catalogue come from: a folder, a web server, or pkg's own protocol over ssh.
//! Nothing here judges what the files say; everything here ends in bounded time.

mod folder;
mod http;
mod location;
mod pace;
mod shown;
mod ssh;

use std::fmt;
use std::io::{self, Read};

use anyhow::{Context, Result, bail, ensure};

use crate::path::RelativePath;
use crate::signed_archive::OTHER_PACKAGES;

pub use folder::Folder;
pub use http::{Http, HttpOptions};
pub use location::{Location, SshAddress};
pub use pace::{Pace, Paced};
pub use shown::shown;
pub use ssh::PkgSsh;

/// A place that hands out the files of one catalogue.
pub trait Transport {
    /// Opens the file at `path`, from byte `from` where the place can do that and from its start otherwise.
    /// `None` where the place says that there is no such file.
    ///
    /// # Errors
    /// Where the place cannot be reached or does not answer as expected, within the limits it was made with.
    fn open(&mut self, path: &RelativePath, from: u64) -> Result<Option<Opened<'_>>>;

    /// The place as a message names it.
    fn place(&self) -> String;

    /// Reads a whole list of the catalogue at `path`, which may be `limit` bytes long. `None` where there is no such file.
    ///
    /// # Errors
    /// As [`Transport::open`], and where the file is longer, or another size than its place had announced.
    fn read_all(&mut self, path: &RelativePath, limit: u64) -> Result<Option<Vec<u8>>> {
        let place = self.place();
        let doing = || format!("reading {path} of {place}");
        let Some(opened) = self.open(path, 0)? else { return Ok(None) };
        let Opened { body, start, size } = opened;
        ensure!(start == 0, "{}: it begins at byte {start}, expected its start", doing());
        if let Some(size) = size {
            ensure!(
                size <= limit,
                "{}: it has {size} bytes, expected at most {limit}: {OTHER_PACKAGES}",
                doing()
            );
        }
        let mut contents = Vec::new();
        let length = body.take(limit + 1).read_to_end(&mut contents).with_context(doing)? as u64;
        ensure!(
            length <= limit,
            "{}: it has more than the {limit} bytes expected at most: {OTHER_PACKAGES}",
            doing()
        );
        match size {
            Some(size) if size != length => bail!("{}: {length} bytes came, expected {size}", doing()),
            _ => Ok(Some(contents)),
        }
    }
}

/// A file being handed out.
pub struct Opened<'a> {
    /// The bytes from `start` on.
    pub body: Box<dyn Read + Send + 'a>,
    /// Position of the first byte of `body` in the file.
    pub start: u64,
    /// Size of the whole file in bytes, where the place tells it.
    pub size: Option<u64>,
}

impl fmt::Debug for Opened<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened").field("start", &self.start).field("size", &self.size).finish_non_exhaustive()
    }
}

/// The error of a body that ends before its announced size.
fn cut_short(missing: u64) -> io::Error {
    io::Error::new(
        io::ErrorKind::UnexpectedEof,
        format!("the connection ended {missing} bytes before the end of the file"),
    )
}
