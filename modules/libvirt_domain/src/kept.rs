// SPDX-License-Identifier: GPL-3.0-or-later

//! libvirt: what is kept of a domain beside its definition: saved memory, snapshots and checkpoints. No policy.

use anyhow::Result;
use virt::error::{Error, ErrorNumber};
use virt::sys::{self, Saved};

use crate::disks::Snapshot;
use crate::errors::explained;
use crate::guest::Guest;
use crate::names::ConnectUri;
use crate::receipt::Configuration;

impl Guest {
    /// What its saved memory runs, where its next start goes on from there. Memory that libvirt cannot read it throws away at that
    /// start. Where the driver cannot tell, it is taken to be what the domain is defined as, until it runs and can be asked.
    ///
    /// # Errors
    /// Where libvirt cannot tell whether there is any.
    pub(crate) fn saved(&self, uri: &ConnectUri, defined: &Configuration) -> Result<Option<Configuration>> {
        match self.domain().has_managed_save(0) {
            Ok(true) => {}
            Ok(false) => return Ok(None),
            Err(error) if is_missing(&error) => return Ok(None),
            Err(error) => return Err(explained(&error, "asking for a domain's saved memory")),
        }
        Ok(match sys::saved_definition(uri.as_str(), &self.uuid()?.to_string()) {
            Saved::Definition(xml) => Some(Configuration::read(&xml)?),
            Saved::Nothing => None,
            Saved::Unknown => Some(defined.clone()),
        })
    }

    /// Throws its saved memory away.
    ///
    /// # Errors
    /// Where libvirt refuses.
    pub(crate) fn discard_saved(&self) -> Result<()> {
        match self.domain().managed_save_remove(0) {
            Err(error) if self.domain().has_managed_save(0).unwrap_or(true) => {
                Err(explained(&error, "removing the domain's saved memory"))
            }
            _ => Ok(()),
        }
    }

    /// Its snapshots, as far as libvirt keeps them; in the order of their names.
    ///
    /// # Errors
    /// Where libvirt cannot tell.
    pub(crate) fn snapshots(&self) -> Result<Vec<Snapshot>> {
        let list = match self.domain().list_all_snapshots(0) {
            Err(error) if is_missing(&error) => Vec::new(),
            list => list.map_err(|error| explained(&error, "listing a domain's snapshots"))?,
        };
        let mut snapshots = Vec::new();
        for snapshot in list {
            // One that is being removed at this moment is none.
            let (Ok(name), Ok(xml)) = (snapshot.name(), snapshot.xml_desc(0)) else { continue };
            snapshots.push(Snapshot::read(name, &xml));
        }
        snapshots.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(snapshots)
    }

    /// The names of its checkpoints, in their order.
    ///
    /// # Errors
    /// Where libvirt cannot tell its UUID.
    pub(crate) fn checkpoints(&self, uri: &ConnectUri) -> Result<Vec<String>> {
        let mut names = sys::checkpoints(uri.as_str(), &self.uuid()?.to_string());
        names.sort_unstable();
        Ok(names)
    }
}

/// Whether the driver has nothing of the kind.
fn is_missing(error: &Error) -> bool {
    error.code().is(ErrorNumber::NoSupport) || error.code().is(ErrorNumber::NoDomain)
}
