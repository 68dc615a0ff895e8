// SPDX-License-Identifier: GPL-3.0-or-later

//! What we keep in a domain's metadata: the receipt of its definition, its turn, and notes on its running instance.

use anyhow::Result;
use virt::error::ErrorNumber;
use virt::sys;

use super::Guest;
use crate::bhyve;
use crate::errors::explained;
use crate::instance::{INSTANCE, Instance};
use crate::names::ConnectUri;
use crate::receipt::{RECEIPT, Receipt};
use crate::turn::{PREFIX, TURN, Turn};

/// Metadata that are an element of a namespace.
const ELEMENT: i32 = sys::VIR_DOMAIN_METADATA_ELEMENT as i32;

/// How far a change of metadata reaches.
#[derive(Clone, Copy, Debug)]
pub enum Reach {
    /// The definition.
    Defined,
    /// The running instance.
    Running,
    /// Both.
    Both,
}

impl Reach {
    fn flags(self) -> u32 {
        match self {
            Reach::Defined => sys::VIR_DOMAIN_AFFECT_CONFIG,
            Reach::Running => sys::VIR_DOMAIN_AFFECT_LIVE,
            Reach::Both => sys::VIR_DOMAIN_AFFECT_CONFIG | sys::VIR_DOMAIN_AFFECT_LIVE,
        }
    }
}

impl Guest {
    /// The receipt in the definition that a running domain waits with. bhyve's driver shows such a definition nowhere else.
    pub(crate) fn waiting_receipt(&self) -> Option<Receipt> {
        // Without one there is no metadata of that name.
        let element = self.domain.metadata(ELEMENT, Some(RECEIPT), sys::VIR_DOMAIN_AFFECT_CONFIG).ok()?;
        Receipt::parse(&element)
    }

    /// When its turn is to start with the host, where it has one.
    ///
    /// # Errors
    /// Where libvirt cannot tell.
    pub(crate) fn turn(&self, uri: &ConnectUri) -> Result<Option<Turn>> {
        // Of a domain that runs what it is defined as, bhyve's driver has no other definition to ask for.
        let flags = if bhyve::is_bhyve(uri) { 0 } else { sys::VIR_DOMAIN_AFFECT_CONFIG };
        match self.domain.metadata(ELEMENT, Some(TURN), flags) {
            Ok(element) => Ok(Some(Turn::parse(&element))),
            // None, or a driver that keeps no metadata.
            Err(error)
                if error.code().is(ErrorNumber::NoDomainMetadata)
                    || error.code().is(ErrorNumber::NoSupport) =>
            {
                Ok(None)
            }
            Err(error) => Err(explained(&error, "reading the domain's metadata")),
        }
    }

    /// Says when its turn is, or that it has none.
    ///
    /// # Errors
    /// Where libvirt refuses.
    pub(crate) fn set_turn(&self, turn: Option<Turn>, reach: Reach) -> Result<()> {
        self.set_metadata(turn.map(Turn::element).as_deref(), PREFIX, TURN, reach)
    }

    /// Whether a running domain has a definition besides what it runs.
    pub(crate) fn has_two_definitions(&self) -> bool {
        match self.domain.metadata(ELEMENT, Some(TURN), sys::VIR_DOMAIN_AFFECT_CONFIG) {
            Ok(_) => true,
            Err(error) => error.code().is(ErrorNumber::NoDomainMetadata),
        }
    }

    /// Puts our receipt into its metadata, or takes it out.
    ///
    /// # Errors
    /// Where libvirt refuses.
    pub(crate) fn set_receipt(&self, element: Option<&str>, reach: Reach) -> Result<()> {
        self.set_metadata(element, "apiary", RECEIPT, reach)
    }

    /// Notes with the running instance what is known of its console; one that has stopped meanwhile needs no note.
    ///
    /// # Errors
    /// Where libvirt refuses.
    pub(crate) fn note(&self, instance: &Instance) -> Result<()> {
        let element = instance.element();
        match self.set_metadata(element.as_deref(), "apiaryinstance", INSTANCE, Reach::Running) {
            Err(_) if !self.is_active()? => Ok(()),
            result => result,
        }
    }

    fn set_metadata(&self, element: Option<&str>, prefix: &str, namespace: &str, reach: Reach) -> Result<()> {
        match self.domain.set_metadata(ELEMENT, element, Some(prefix), Some(namespace), reach.flags()) {
            // Taking out what is not there.
            Err(error) if element.is_none() && error.code().is(ErrorNumber::NoDomainMetadata) => Ok(()),
            result => result.map_err(|error| explained(&error, "writing the domain's metadata")),
        }
    }
}
