// SPDX-License-Identifier: GPL-3.0-or-later

//! Reads the source of an image: what it is, which snapshot it would be, and the sum of its stream.

use std::fs::File;
use std::io::Read;

use ansible_module::Task;
use anyhow::{Context, Result, bail, ensure};
use image_catalog::catalogue::Catalogue;
use image_catalog::digest::{CheckingReader, SumKind};
use image_catalog::facts::ImageFacts;
use image_catalog::name::ImageId;
use image_catalog::package::Package;
use zfs_command::{Guid, Snapshot, SnapshotName, Zfs};
use zfs_stream::{Base, Expect, Image, Summary};

use crate::dates::time_of;
use crate::held::Held;
use crate::identity::{self, StreamSum, summing};
use crate::params::Params;
use crate::prepare::{Disk, Opened};
use crate::source::Source;
use crate::watched::Watched;

/// An image as its source has it.
pub struct Seen {
    /// The source, to be read again.
    pub source: Source,
    /// The guid of the snapshot: the image's identity.
    pub guid: u64,
    /// The guid it builds on.
    pub fromguid: Option<u64>,
    /// Bytes of the volume.
    pub volsize: u64,
    /// Bytes of a block.
    pub volblocksize: u64,
    pub stream: StreamSum,
    /// The checksum that the source was asked for.
    pub checksum: Option<String>,
    /// What a publisher might want to know of it.
    pub remarks: Vec<String>,
}

/// Looks at a source. What the catalogue lists with the same guid is not read through again.
pub fn look(
    params: &Params,
    id: &ImageId,
    opened: Opened,
    catalogue: Option<&Catalogue>,
    task: &Task,
) -> Result<Seen> {
    let images = catalogue.map_or(&[][..], |catalogue| &catalogue.images);
    let listed = images.iter().find(|image| image.id == *id);
    let parent = match &params.parent {
        None => None,
        Some(name) => Some(
            images
                .iter()
                .find(|image| image.id.is_exactly(name))
                .with_context(|| format!("parent {name} is not in the catalogue: publish it first"))?,
        ),
    };
    match opened {
        Opened::Announced => bail!("looking at a source that has not come"),
        Opened::Known => known(listed.context("looking for an image that was listed before")?),
        Opened::Stream(held) => look_at_stream(held, parent, task),
        Opened::Snapshot(name) => look_at_snapshot(&name, parent, listed, task),
        Opened::Disk(disk) => look_at_disk(disk, unnamed_image(params, id)?, Known { id, listed }, task),
    }
}

/// An image that was made from the very file that is asked for.
fn known(listed: &Package) -> Result<Seen> {
    let ImageFacts { volsize, volblocksize, guid, fromguid, .. } = listed.facts;
    let stream = known_sum(Some(listed), guid).context("the catalogue has no checksum of its stream")?;
    let (checksum, remarks) = (listed.facts.source.clone(), Vec::new());
    Ok(Seen { source: Source::Known, guid, fromguid, volsize, volblocksize, stream, checksum, remarks })
}

/// What the stream of a disk says besides its content; the guid comes from the content.
fn unnamed_image(params: &Params, id: &ImageId) -> Result<Image> {
    let volblocksize = u32::try_from(params.volblocksize.0).context("reading option volblocksize")?;
    let name = format!("images/{id}@image");
    Ok(Image { guid: 1, creation_time: time_of(&id.version), name, volblocksize })
}

/// What is known of an image without looking at its source.
struct Known<'a> {
    id: &'a ImageId,
    listed: Option<&'a Package>,
}

fn look_at_disk(disk: Disk, unnamed: Image, known: Known<'_>, task: &Task) -> Result<Seen> {
    let Disk { held, remarks } = disk;
    let (content, summary) = sum_of(&held.file, &unnamed, task)?;
    let guid = identity::guid(known.id, &content.sha256);
    let image = Image { guid, ..unnamed };
    let volblocksize = u64::from(image.volblocksize);
    let stream = match known_sum(known.listed, guid) {
        Some(stream) => stream,
        None => sum_of(&held.file, &image, task)?.0,
    };
    Ok(Seen {
        source: Source::Disk { held, image },
        guid,
        fromguid: None,
        volsize: summary.volsize.context("making a stream: it has no size")?,
        volblocksize,
        stream,
        checksum: None,
        remarks,
    })
}

fn sum_of(disk: &File, image: &Image, task: &Task) -> Result<(StreamSum, Summary)> {
    let size = disk.metadata().map(|found| found.len()).ok();
    let mut sink = Watched { inner: summing(), progress: task.progress("reading the disk", size) };
    let summary = zfs_stream::write(disk, &mut sink, image).context("making a stream from the disk")?;
    Ok((StreamSum::of(sink.inner)?, summary))
}

fn known_sum(listed: Option<&Package>, guid: u64) -> Option<StreamSum> {
    let listed = listed.filter(|listed| listed.facts.guid == guid)?;
    Some(StreamSum { size: listed.manifest.flatsize, sha256: listed.facts.sha256.clone()? })
}

fn look_at_stream(held: Held, parent: Option<&Package>, task: &Task) -> Result<Seen> {
    let size = held.file.metadata().map(|found| found.len()).ok();
    let progress = task.progress("verifying the stream", size);
    let (stream, summary) = verified(Watched { inner: &held.file, progress }, parent)?;
    seen(Source::Stream(held), stream, &summary)
}

fn look_at_snapshot(
    name: &SnapshotName,
    parent: Option<&Package>,
    listed: Option<&Package>,
    task: &Task,
) -> Result<Seen> {
    let zfs = Zfs::find()?;
    let snapshots = zfs.snapshots(name.dataset(), 1)?;
    let found = snapshots.iter().find(|snapshot| snapshot.name == name.as_str());
    let guid = found.with_context(|| format!("{} has no snapshot {name}", name.dataset()))?.guid.0;
    let base = parent.map(|parent| base(name, &snapshots, Guid(parent.facts.guid))).transpose()?;
    let source = Source::Snapshot { name: name.clone(), base };
    if let (Some(stream), Some(listed)) = (known_sum(listed, guid), listed) {
        let ImageFacts { volsize, volblocksize, fromguid, .. } = listed.facts;
        let (checksum, remarks) = (None, Vec::new());
        return Ok(Seen { source, guid, fromguid, volsize, volblocksize, stream, checksum, remarks });
    }
    let Source::Snapshot { name, base } = &source else { bail!("a snapshot turned into something else") };
    let mut sending = zfs.send(name, base.as_ref())?;
    let progress = task.progress("reading the snapshot", None);
    let checked = verified(Watched { inner: &mut sending.stream, progress }, parent);
    // Where the command failed, that is what the user needs to know.
    sending.finish()?;
    let (stream, summary) = checked?;
    ensure!(summary.toguid == guid, "snapshot {name} was replaced while it was read: publish again");
    seen(source, stream, &summary)
}

/// The snapshot of the same dataset that the parent's image was made from.
fn base(name: &SnapshotName, snapshots: &[Snapshot], guid: Guid) -> Result<SnapshotName> {
    match snapshots.iter().find(|snapshot| snapshot.guid == guid) {
        Some(base) => base.name.parse(),
        None => bail!(
            "{} has no snapshot with guid {guid}, which is the parent's, so no stream can build on that image",
            name.dataset()
        ),
    }
}

/// Reads a whole stream: it must be one that can be received, on top of the parent if there is one.
fn verified(stream: impl Read, parent: Option<&Package>) -> Result<(StreamSum, Summary)> {
    let base = match parent {
        None => Base::None,
        Some(parent) => Base::Volume {
            guid: parent.facts.guid,
            volsize: parent.facts.volsize,
            volblocksize: u32::try_from(parent.facts.volblocksize)
                .context("reading the parent's block size")?,
        },
    };
    let mut reader = CheckingReader::new(stream, SumKind::Sha256);
    let checked = zfs_stream::verify(&mut reader, Expect { base, ..Expect::default() });
    let summary = checked.with_context(|| match parent {
        None => "verifying the stream; one that builds on another image needs the option parent".to_owned(),
        Some(parent) => format!("verifying the stream on top of {}", parent.id),
    })?;
    let (sum, size, _) = reader.finish();
    Ok((StreamSum::from_sum(&sum, size)?, summary))
}

fn seen(source: Source, stream: StreamSum, summary: &Summary) -> Result<Seen> {
    Ok(Seen {
        source,
        guid: summary.toguid,
        fromguid: Some(summary.fromguid).filter(|guid| *guid != 0),
        volsize: summary.volsize.context("the stream does not say how large its volume is")?,
        volblocksize: summary
            .volblocksize
            .context("the stream does not say what blocks its volume has")?
            .into(),
        stream,
        checksum: None,
        remarks: remarks(summary),
    })
}

/// What is worth knowing of a stream that was not made here.
fn remarks(summary: &Summary) -> Vec<String> {
    let mut remarks = Vec::new();
    if summary.features.compressed() {
        remarks.push(
            "the blocks of the stream are compressed already: compressing the package again takes time and saves \
             little; set compression to none, or send without -c"
                .to_owned(),
        );
    }
    if !summary.toname.starts_with("images/") {
        remarks.push(format!(
            "the stream names the snapshot it was made from, {:?}: everybody who gets the image can read that",
            summary.toname
        ));
    }
    remarks
}
