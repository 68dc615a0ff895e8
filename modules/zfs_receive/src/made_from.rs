// SPDX-License-Identifier: GPL-3.0-or-later

//! Which image a volume was made from.

use std::path::PathBuf;

use anyhow::Result;
use zfs_command::{DatasetName, Guid, Kind};

use crate::dataset::{self, Observed};
use crate::raw_file::Mark;

/// Where a guest has its volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A raw file, on a host without ZFS.
    RawFile(PathBuf),
    /// A ZFS volume.
    Dataset(DatasetName),
}

/// The image of a volume that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MadeFrom {
    /// Guid of the image's snapshot.
    pub guid: Guid,
    /// Name of the golden volume that a clone has its data from; that of the image, where this collection made it.
    pub golden: Option<String>,
}

/// The image that each of the volumes was made from; `None` for one that is not there, or that nothing tells the image of.
///
/// # Errors
/// Where a file's attribute cannot be read, or zfs is missing or fails: a failed look is not "nothing there".
pub fn made_from(places: &[Place]) -> Result<Vec<Option<MadeFrom>>> {
    let datasets = places.iter().filter_map(|place| match place {
        Place::Dataset(name) => Some(name.as_str()),
        Place::RawFile(_) => None,
    });
    let observed = dataset::look(&datasets.collect::<Vec<_>>())?;
    places
        .iter()
        .map(|place| match place {
            Place::RawFile(path) if path.symlink_metadata().is_err() => Ok(None),
            Place::RawFile(path) => Ok(match Mark::of(path)? {
                Some(Mark::Image(image)) => Some(MadeFrom { guid: image.guid, golden: None }),
                Some(Mark::Blank(_)) | None => None,
            }),
            Place::Dataset(name) => Ok(of_dataset(name, &observed)),
        })
        .collect()
}

/// A clone has its origin for it, a copy the snapshot it was received with.
fn of_dataset(name: &DatasetName, observed: &Observed) -> Option<MadeFrom> {
    let called = |wanted: &str| observed.rows.get(wanted);
    let volume = called(name.as_str()).filter(|row| row.kind == Kind::Volume)?;
    let Some(origin) = &volume.origin else {
        return Some(MadeFrom { guid: called(&name.image())?.guid, golden: None });
    };
    let golden = origin.split('@').next().and_then(|golden| golden.rsplit('/').next());
    Some(MadeFrom { guid: called(origin)?.guid, golden: golden.map(str::to_owned) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use zfs_command::Row;

    fn row(name: &str, kind: Kind, guid: u64, origin: Option<&str>) -> Row {
        Row {
            name: name.to_owned(),
            kind,
            guid: Guid(guid),
            volsize: None,
            volblocksize: None,
            available: None,
            origin: origin.map(str::to_owned),
            clones: Vec::new(),
            holds: 0,
            volmode: None,
        }
    }

    #[test]
    fn a_clone_a_copy_and_what_is_neither() {
        let rows = [
            row("t/clone", Kind::Volume, 1, Some("t/images/demo-1@image")),
            row("t/images/demo-1@image", Kind::Snapshot, 7, None),
            row("t/copy", Kind::Volume, 2, None),
            row("t/copy@nightly", Kind::Snapshot, 8, None),
            row("t/copy@image", Kind::Snapshot, 9, None),
            row("t/own", Kind::Volume, 3, None),
            row("t/folder", Kind::Filesystem, 4, None),
        ];
        let rows = rows.into_iter().map(|row| (row.name.clone(), row)).collect();
        let observed = Observed { rows, ..Observed::default() };
        let of = |name: &str| of_dataset(&DatasetName::try_from(name.to_owned()).unwrap(), &observed);
        assert_eq!(of("t/clone"), Some(MadeFrom { guid: Guid(7), golden: Some("demo-1".to_owned()) }));
        assert_eq!(of("t/copy"), Some(MadeFrom { guid: Guid(9), golden: None }));
        for name in ["t/own", "t/folder", "t/none"] {
            assert_eq!(of(name), None, "{name}");
        }
    }
}
