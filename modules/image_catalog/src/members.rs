// SPDX-License-Identifier: GPL-3.0-or-later

//! The members of a tar archive, one after the other and nothing but regular files: links, devices, sparse
//! files and extensions of unknown meaning are refused, and so is anything after the end.

use std::io::{self, Read};

use anyhow::{Context, Result, bail, ensure};
use tar::{EntryType, Header, PaxExtensions};

const BLOCK: usize = 512;
/// The largest extended header taken, in bytes.
const EXTENSION_LIMIT: u64 = 64 << 10;
/// The largest member that is believed, in bytes.
const SIZE_LIMIT: u64 = 1 << 46;
/// Zero bytes that may follow the archive's end: tar pads to its record size, pkg to 10 KiB.
const PADDING_LIMIT: u64 = 1 << 20;

/// Keys of extended headers that do not change what a member's bytes mean.
const HARMLESS_KEYS: [&str; 13] = [
    "atime",
    "ctime",
    "mtime",
    "uid",
    "gid",
    "uname",
    "gname",
    "comment",
    "hdrcharset",
    "LIBARCHIVE.creationtime",
    "SCHILY.dev",
    "SCHILY.ino",
    "SCHILY.nlink",
];

/// A regular file of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) path: String,
    pub(crate) size: u64,
}

/// An archive being read: [`Members::next`] steps to a member, [`Read`] gives its content.
pub(crate) struct Members<R> {
    inner: R,
    /// Bytes of the current member that are still to be read.
    remaining: u64,
    /// Zero bytes between the current member and the next header.
    padding: usize,
    ended: bool,
}

#[derive(Default)]
struct Extension {
    path: Option<String>,
    size: Option<u64>,
}

impl<R: Read> Members<R> {
    pub(crate) fn new(inner: R) -> Self {
        Self { inner, remaining: 0, padding: 0, ended: false }
    }

    /// Steps to the next member; the content of the one before must have been read. `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Member>> {
        let mut extension = None;
        loop {
            ensure!(self.remaining == 0, "{} bytes of a member were left unread", self.remaining);
            let Some(header) = self.header()? else {
                ensure!(extension.is_none(), "the archive ends after an extended header");
                return Ok(None);
            };
            let path = text(&header.path_bytes(), "a member's name")?;
            let size = header.entry_size().with_context(|| format!("reading the size of member {path:?}"))?;
            if header.entry_type() == EntryType::XHeader {
                ensure!(extension.is_none(), "two extended headers follow each other");
                extension = Some(self.extension(size)?);
                continue;
            }
            let extension = extension.unwrap_or_default();
            let path = extension.path.unwrap_or(path);
            refuse_special(header.entry_type(), &path)?;
            let size = extension.size.unwrap_or(size);
            ensure!(
                size <= SIZE_LIMIT,
                "member {path:?} claims {size} bytes, more than the limit of {SIZE_LIMIT}"
            );
            self.begin(size);
            return Ok(Some(Member { path, size }));
        }
    }

    /// The whole content of the current member, which must not be larger than `limit`.
    pub(crate) fn content(&mut self, member: &Member, limit: u64) -> Result<Vec<u8>> {
        ensure!(
            member.size <= limit,
            "member {:?} has {} bytes, more than the limit of {limit}",
            member.path,
            member.size
        );
        let mut content = Vec::new();
        self.read_to_end(&mut content).with_context(|| format!("reading member {:?}", member.path))?;
        Ok(content)
    }

    /// The source.
    pub(crate) fn inner(&self) -> &R {
        &self.inner
    }

    /// The source after the archive's end, which must have been reached.
    pub(crate) fn into_inner(self) -> R {
        self.inner
    }

    fn begin(&mut self, size: u64) {
        self.remaining = size;
        self.padding = (BLOCK - (size % BLOCK as u64) as usize) % BLOCK;
    }

    fn header(&mut self) -> Result<Option<Header>> {
        if self.ended {
            return Ok(None);
        }
        let mut block = [0; BLOCK];
        let padding = &mut block[..self.padding];
        self.inner.read_exact(padding).context("reading the padding of a member")?;
        ensure!(padding.iter().all(|byte| *byte == 0), "the padding of a member is not zero");
        self.padding = 0;
        self.inner.read_exact(&mut block).context("reading the header of a member")?;
        if block.iter().all(|byte| *byte == 0) {
            self.ended = true;
            self.end()?;
            return Ok(None);
        }
        let header = Header::from_byte_slice(&block).clone();
        let found: u32 =
            block[..148].iter().chain(&[b' '; 8]).chain(&block[156..]).map(|byte| u32::from(*byte)).sum();
        let stated = header.cksum().context("reading the checksum of a member's header")?;
        ensure!(stated == found, "the header of a member has checksum {found}, expected {stated}");
        Ok(Some(header))
    }

    /// Behind the first zero block: another one, then nothing but zeros in a bounded number.
    fn end(&mut self) -> Result<()> {
        let mut block = [0; 16 * BLOCK];
        let mut padding = 0;
        loop {
            let count = self.inner.read(&mut block).context("reading the end of an archive")?;
            if count == 0 {
                break;
            }
            padding += count as u64;
            ensure!(block[..count].iter().all(|byte| *byte == 0), "bytes follow the end of the archive");
            ensure!(
                padding <= PADDING_LIMIT,
                "more than {PADDING_LIMIT} zero bytes follow the end of the archive"
            );
        }
        ensure!(padding >= BLOCK as u64, "the archive ends within its end mark");
        Ok(())
    }

    fn extension(&mut self, size: u64) -> Result<Extension> {
        ensure!(
            size <= EXTENSION_LIMIT,
            "an extended header claims {size} bytes, more than {EXTENSION_LIMIT}"
        );
        self.begin(size);
        let mut content = Vec::new();
        self.read_to_end(&mut content).context("reading an extended header")?;
        let mut extension = Extension::default();
        for record in PaxExtensions::new(&content) {
            let record = record.context("reading an extended header")?;
            let key = text(record.key_bytes(), "a key of an extended header")?;
            let value = text(record.value_bytes(), "a value of an extended header")?;
            let first = match key.as_str() {
                "path" => extension.path.replace(value).is_none(),
                "size" => {
                    let size = value.parse().with_context(|| format!("reading the size {value:?}"))?;
                    extension.size.replace(size).is_none()
                }
                key if key.starts_with("GNU.sparse.") || key == "SCHILY.realsize" => {
                    bail!("the archive holds a sparse file ({key}), pack it without holes")
                }
                key if HARMLESS_KEYS.contains(&key) => true,
                key => bail!("an extended header has the unknown key {key:?}"),
            };
            ensure!(first, "an extended header has the key {key:?} twice");
        }
        Ok(extension)
    }
}

impl<R: Read> Read for Members<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = buffer.len().min(usize::try_from(self.remaining).unwrap_or(usize::MAX));
        let count = self.inner.read(&mut buffer[..wanted])?;
        if count == 0 && wanted > 0 {
            let left = self.remaining;
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                format!("the archive ends {left} bytes before the end of a member"),
            ));
        }
        self.remaining -= count as u64;
        Ok(count)
    }
}

fn refuse_special(kind: EntryType, path: &str) -> Result<()> {
    let what = match kind {
        EntryType::Regular => return Ok(()),
        EntryType::Symlink => "a symbolic link",
        EntryType::Link => "a hard link",
        EntryType::Char | EntryType::Block => "a device",
        EntryType::Fifo => "a fifo",
        EntryType::Directory => "a directory",
        EntryType::GNUSparse => "a sparse file",
        EntryType::GNULongName | EntryType::GNULongLink => "a GNU long name",
        EntryType::XGlobalHeader => "a global extended header",
        _ => "of an unknown type",
    };
    bail!("member {path:?} is {what}, expected a regular file")
}

fn text(bytes: &[u8], what: &str) -> Result<String> {
    Ok(str::from_utf8(bytes).with_context(|| format!("reading {what}"))?.to_owned())
}
