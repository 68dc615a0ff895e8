// SPDX-License-Identifier: GPL-3.0-or-later

//! Where an image comes from, and its stream as often as it is asked for.

use std::fs::File;
use std::io::{self, Seek, Write};
use std::path::Path;

use ansible_module::open::{is_disk, open_file_or_disk};
use anyhow::{Context, Result, bail, ensure};
use image_catalog::compression::Compression;
use zfs_command::{SnapshotName, Zfs};

use crate::contents::{Container, Content, Glimpse};
use crate::held::Held;
use crate::params::Format;

/// An image's origin, opened.
pub enum Source {
    /// A file that the catalogue has an image of: it was not opened.
    Known,
    /// A raw disk, and what its stream says besides its content.
    Disk {
        held: Held,
        /// What to put into the stream.
        image: zfs_stream::Image,
    },
    /// A file that holds a stream.
    Stream(Held),
    Snapshot {
        name: SnapshotName,
        /// The one to send the difference to.
        base: Option<SnapshotName>,
    },
}

impl Source {
    /// Writes the image's stream.
    pub fn write(&self, sink: &mut dyn Write) -> Result<()> {
        match self {
            Self::Known => bail!("packing an image whose source was not opened"),
            Self::Disk { held, image } => {
                zfs_stream::write(&held.file, sink, image).context("making a stream from the disk")?;
            }
            Self::Stream(held) => {
                let mut file = &held.file;
                file.rewind().context("reading the stream again")?;
                io::copy(&mut file, sink).context("reading the stream")?;
            }
            Self::Snapshot { name, base } => {
                let mut sending = Zfs::find()?.send(name, base.as_ref())?;
                let copied = io::copy(&mut sending.stream, sink);
                // Where the command failed, that is what the user needs to know.
                sending.finish()?;
                copied.context("reading the stream of the snapshot")?;
            }
        }
        Ok(())
    }
}

/// What has to be done to a file before it can be read as an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Unpack(Compression),
    /// Take the one disk out of an OVA.
    Extract,
    Convert(Container),
    /// Nothing: it is a raw disk.
    Disk,
    /// Nothing: it is a stream, and called one.
    Stream,
}

/// A file that is, or is in, a source.
pub struct Unopened<'a> {
    pub file: &'a File,
    /// The source as the caller names it.
    pub source: &'a str,
    pub format: Format,
    /// Whether it was in something packed.
    pub is_unpacked: bool,
}

/// Whether a source is unpacked that turns out to be compressed: not a raw disk that is called one, and neither what is not
/// called compressed.
pub fn unpacks(source: &str, format: Format) -> bool {
    format != Format::Raw || Compression::ALL.into_iter().any(|compression| is_called(source, compression))
}

impl Unopened<'_> {
    /// Finds out what to do, by what the file holds and what the caller has said.
    ///
    /// What stands in a disk was written by a guest, which may have made it look like a stream: that is never guessed.
    pub fn step(&self) -> Result<Step> {
        let reading = || format!("reading source {}", self.source);
        if is_disk(self.file.metadata().with_context(reading)?.file_type()) {
            self.refuse_device()?;
            return Ok(Step::Disk);
        }
        let content = Glimpse::of(self.file).with_context(reading)?.content();
        match (self.format, content) {
            (Format::Raw, Content::Packed(compression))
                if !self.is_unpacked && is_called(self.source, compression) =>
            {
                Ok(Step::Unpack(compression))
            }
            (Format::Raw, _) => Ok(Step::Disk),
            (_, Content::Packed(compression)) => Ok(Step::Unpack(compression)),
            (Format::Stream, _) => Ok(Step::Stream),
            (Format::Auto | Format::Ova, Content::Tar) => Ok(Step::Extract),
            (format, Content::Container(container)) if is_meant(format, container) => {
                Ok(Step::Convert(container))
            }
            (Format::Auto, Content::Unknown) => self.unless_called_otherwise(),
            (Format::Auto, Content::Stream) => bail!(
                "source {} begins like a ZFS send stream, but a guest can make its disk begin so, too: set format \
                 to stream or to raw",
                self.source
            ),
            (_, Content::Foreign(name, advice)) => {
                bail!("source {} is {name}, expected a disk: {advice}", self.source)
            }
            (format, found) => bail!(
                "source {} is {}, and option format says {}: leave that option out, or set it to what the source is",
                self.source,
                found.name(),
                format.name()
            ),
        }
    }

    /// A fixed VHD that has lost its footer is a raw disk by all that is in it, but for its name.
    fn unless_called_otherwise(&self) -> Result<Step> {
        let name = lower_name(self.source);
        let name = Compression::ALL
            .iter()
            .flat_map(|it| endings(*it))
            .find_map(|it| name.strip_suffix(it))
            .unwrap_or(&name);
        // What a descriptor of a VMDK disk names so is raw.
        let container = CALLED
            .iter()
            .find(|(ending, _)| name.ends_with(ending) && !name.ends_with("-flat.vmdk"))
            .map(|(_, container)| container.name());
        ensure!(
            container.is_none(),
            "source {} is called {} and begins and ends as none: it was cut short, fetch it again, or set format to raw",
            self.source,
            container.unwrap_or_default()
        );
        Ok(Step::Disk)
    }

    fn refuse_device(&self) -> Result<()> {
        ensure!(
            matches!(self.format, Format::Auto | Format::Raw),
            "source {} is a disk device, and option format says {}: what is on a device is taken as it is",
            self.source,
            self.format.name()
        );
        Ok(())
    }
}

/// Disks in an OVA are of any form.
fn is_meant(format: Format, container: Container) -> bool {
    match format {
        Format::Auto | Format::Ova => true,
        Format::Qcow2 => container == Container::Qcow2,
        Format::Vmdk => container == Container::Vmdk,
        Format::Vhd => container == Container::Vhd,
        Format::Vhdx => container == Container::Vhdx,
        Format::Vdi => container == Container::Vdi,
        Format::Raw | Format::Stream | Format::Snapshot => false,
    }
}

/// Whether the name of a file says that it is compressed: a raw disk may begin with anything.
fn is_called(source: &str, compression: Compression) -> bool {
    let name = lower_name(source);
    endings(compression).iter().any(|ending| name.ends_with(ending))
}

/// By which what a source is called is told: without what a URL asks for.
fn lower_name(source: &str) -> String {
    source.split('?').next().unwrap_or_default().to_ascii_lowercase()
}

fn endings(compression: Compression) -> &'static [&'static str] {
    match compression {
        Compression::Gzip => &[".gz"],
        Compression::Bzip2 => &[".bz2"],
        Compression::Xz => &[".xz"],
        Compression::Zstd => &[".zst", ".zstd"],
    }
}

/// How the names of disks end that are not raw.
const CALLED: [(&str, Container); 5] = [
    (".qcow2", Container::Qcow2),
    (".vmdk", Container::Vmdk),
    (".vhd", Container::Vhd),
    (".vhdx", Container::Vhdx),
    (".vdi", Container::Vdi),
];

/// Opens a file or a disk device for reading.
pub fn open(path: &Path) -> Result<File> {
    open_file_or_disk(path)
}
