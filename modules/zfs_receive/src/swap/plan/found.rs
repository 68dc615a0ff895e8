// SPDX-License-Identifier: GPL-3.0-or-later

//! What there is of a guest's volumes before they are exchanged or renamed.

use super::Way;

/// A volume as found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Disk {
    /// Its name.
    pub name: String,
    /// How it was chosen, in an exchange that is not over.
    pub way: Option<Way>,
    /// That was too long ago to go on with it where it is the volume already.
    pub stale: bool,
    /// Whether it says until when it is kept.
    pub dated: bool,
    /// Whether its device is withheld.
    pub hidden: bool,
    /// Whether its guest ran before it was stopped for an exchange.
    pub noted: bool,
    /// What it shares with the others of its guest.
    pub lineage: Option<String>,
}

impl Disk {
    /// Whether a call for this way has got as far as this volume.
    pub(super) fn is_done(&self, way: Way) -> bool {
        self.way == Some(way) && !self.stale
    }
}

/// Everything that the plan depends on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The volume that has the name now.
    pub root: Option<Disk>,
    /// The one that was made ready.
    pub staged: Option<Disk>,
    /// Those that are kept, the oldest first.
    pub kept: Vec<Disk>,
    /// Who uses the volume.
    pub user: Option<String>,
    /// What there is under the name that the volume had, where it is renamed.
    pub before: Option<Box<Before>>,
}

/// A volume under the name that it had, and what is beside it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Before {
    /// That name.
    pub name: String,
    /// What is there.
    pub found: Found,
}

impl Found {
    /// What the volumes of the guest share: those that it has, or between two renames those that it is to have.
    fn lineage(&self) -> Option<&str> {
        let chosen = || self.kept.iter().rfind(|disk| disk.way == Some(Way::Back));
        let ready = || self.staged.as_ref().filter(|disk| disk.way == Some(Way::New));
        self.root.as_ref().or_else(chosen).or_else(ready)?.lineage.as_deref()
    }

    /// Those that were put aside for this guest, the oldest first; not those of another that had its name before.
    pub(super) fn own(&self) -> impl DoubleEndedIterator<Item = &Disk> {
        let lineage = self.lineage();
        self.kept.iter().filter(move |disk| lineage.is_some() && disk.lineage.as_deref() == lineage)
    }
}
