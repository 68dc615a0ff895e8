//! What an image is known to be before it is received, and what receiving has shown it to be.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use zfs_stream::{Base, Expect, Reader, announced};

use crate::params::Guid;
use crate::source::Source;

/// What the beginning of a source says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Guid of the snapshot it ends at.
    pub guid: Guid,
    /// Guid of the snapshot it applies to; none for a full stream.
    pub base: Option<Guid>,
    /// Bytes of the volume, where the package says so.
    pub volsize: Option<u64>,
    /// Bytes of one of its blocks, where the package says so.
    pub volblocksize: Option<u64>,
    /// Name of the image it applies to, where the package says so.
    pub parent: Option<String>,
    /// Bytes of the stream, where it stands in the file as it is.
    pub bytes: Option<u64>,
}

impl Image {
    /// Looks at `src`; reads all of it only where nothing else says where it ends (`zfs send -I`).
    pub fn of(src: &Path) -> Result<Image> {
        let source = Source::open(src, None, None)?;
        if let Some(facts) = source.facts() {
            let base = facts.fromguid.map(Guid);
            return Ok(Image {
                guid: Guid(facts.guid),
                base,
                volsize: Some(facts.volsize),
                volblocksize: Some(facts.volblocksize),
                parent: facts.parent.as_ref().map(ToString::to_string),
                bytes: None,
            });
        }
        let doing = || format!("reading {}", src.display());
        let bytes = source.plain_size().with_context(doing)?;
        let announced = announced(source).with_context(doing)?;
        let guid = match announced.toguid {
            Some(guid) => guid,
            None => {
                let expect = Expect { base: Base::Any, ..Expect::default() };
                zfs_stream::verify(Source::open(src, None, None)?, expect).with_context(doing)?.toguid
            }
        };
        let base = Some(announced.first.fromguid).filter(|guid| *guid != 0).map(Guid);
        Ok(Image { guid: Guid(guid), base, volsize: None, volblocksize: None, parent: None, bytes })
    }
}

/// Starts verifying a source against what its package and the caller say.
pub fn reader(source: Source, guid: Guid, base: Base) -> Result<Reader<Source>> {
    let volsize = source.facts().map(|facts| facts.volsize);
    if let Some(facts) = source.facts() {
        ensure!(
            facts.guid == guid.0,
            "the package holds the image with guid {}, expected {guid}",
            facts.guid
        );
    }
    Reader::new(source, Expect { base, guid: Some(guid.0), volsize })
}
