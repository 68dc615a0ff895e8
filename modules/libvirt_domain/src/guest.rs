// SPDX-License-Identifier: GPL-3.0-or-later

//! libvirt: the calls on one domain. A race that another manager has won is not an error. No policy.

use anyhow::Result;
use uuid::Uuid;
use virt::domain::Domain;
use virt::error::{Error, ErrorNumber};
use virt::stream::Stream;
use virt::sys;

use crate::activity::Activity;
use crate::bhyve;
use crate::errors::explained;
use crate::instance::{INSTANCE, Instance};
use crate::names::ConnectUri;
use crate::receipt::{RECEIPT, Receipt};
use crate::turn::{PREFIX, TURN, Turn};

/// Metadata that are an element of a namespace.
const ELEMENT: i32 = sys::VIR_DOMAIN_METADATA_ELEMENT as i32;

/// A domain of a hypervisor.
pub struct Guest {
    domain: Domain,
}

/// Which XML of a domain.
#[derive(Clone, Copy, Debug)]
pub enum Form {
    /// What it will be at its next start.
    Defined,
    /// What the running instance is.
    Running,
}

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
    pub(crate) fn new(domain: Domain) -> Self {
        Self { domain }
    }

    /// Its name.
    ///
    /// # Errors
    /// Where libvirt cannot tell.
    pub fn name(&self) -> Result<String> {
        self.domain.name().map_err(|error| explained(&error, "asking for a domain's name"))
    }

    /// Its UUID.
    ///
    /// # Errors
    /// Where libvirt cannot tell.
    pub fn uuid(&self) -> Result<Uuid> {
        self.domain.uuid().map_err(|error| explained(&error, "asking for a domain's UUID"))
    }

    /// What it does.
    ///
    /// # Errors
    /// Where libvirt cannot tell.
    pub fn activity(&self) -> Result<Activity> {
        let (state, reason) =
            self.domain.state().map_err(|error| explained(&error, "asking for a domain's state"))?;
        Ok(Activity::read(state, reason, self.is_active()?))
    }

    /// Whether it runs, in whatever way.
    ///
    /// # Errors
    /// Where libvirt cannot tell; a domain that is gone does not run.
    pub fn is_active(&self) -> Result<bool> {
        match self.domain.is_active() {
            Ok(active) => Ok(active),
            Err(error) if error.code().is(ErrorNumber::NoDomain) => Ok(false),
            Err(error) => Err(explained(&error, "asking whether a domain runs")),
        }
    }

    /// Its number while it runs: of bhyve, its process id.
    pub fn id(&self) -> Option<u32> {
        self.domain.id()
    }

    /// The receipt in the definition that a running domain waits with. bhyve's driver shows such a definition nowhere else.
    pub(crate) fn waiting_receipt(&self) -> Option<Receipt> {
        // Without one there is no metadata of that name.
        let element = self.domain.metadata(ELEMENT, Some(RECEIPT), sys::VIR_DOMAIN_AFFECT_CONFIG).ok()?;
        Receipt::parse(&element)
    }

    /// Whether it has a definition that outlives its running instance.
    ///
    /// # Errors
    /// Where libvirt cannot tell.
    pub fn is_persistent(&self) -> Result<bool> {
        self.domain
            .is_persistent()
            .map_err(|error| explained(&error, "asking whether a domain is persistent"))
    }

    /// Whether it starts with the host.
    ///
    /// # Errors
    /// Where libvirt cannot tell.
    pub fn autostart(&self) -> Result<bool> {
        self.domain.autostart().map_err(|error| explained(&error, "asking for a domain's autostart"))
    }

    /// Says whether it starts with the host.
    ///
    /// # Errors
    /// Where libvirt refuses.
    pub fn set_autostart(&self, autostart: bool) -> Result<()> {
        self.domain
            .set_autostart(autostart)
            .map_err(|error| explained(&error, "setting the domain's autostart"))
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

    /// Its XML, with passwords.
    ///
    /// # Errors
    /// Where libvirt refuses.
    pub fn xml(&self, form: Form) -> Result<String> {
        let flags = match form {
            Form::Defined => sys::VIR_DOMAIN_XML_SECURE | sys::VIR_DOMAIN_XML_INACTIVE,
            Form::Running => sys::VIR_DOMAIN_XML_SECURE,
        };
        self.domain.xml_desc(flags).map_err(|error| explained(&error, "asking for a domain's XML"))
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

    /// Starts it; tells whether it was us: one that somebody else has started meanwhile is as good.
    ///
    /// # Errors
    /// Where it cannot start: libvirt's words, which carry the emulator's.
    pub(crate) fn start(&self, paused: bool) -> Result<bool> {
        let flags = if paused { sys::VIR_DOMAIN_START_PAUSED } else { 0 };
        match self.domain.create_with_flags(flags) {
            Err(error) if error.code().is(ErrorNumber::OperationInvalid) && self.is_active()? => Ok(false),
            result => result.map(|_| true).map_err(|error| explained(&error, "starting the domain")),
        }
    }

    /// Lets a paused domain run.
    ///
    /// # Errors
    /// Where libvirt refuses and it does not run either.
    pub(crate) fn resume(&self) -> Result<()> {
        match self.domain.resume() {
            Err(error) if self.activity()? != Activity::Running => {
                Err(explained(&error, "resuming the domain"))
            }
            _ => Ok(()),
        }
    }

    /// Wakes a guest that has put itself to sleep.
    ///
    /// # Errors
    /// Where libvirt refuses and it does not run either.
    pub(crate) fn wake(&self) -> Result<()> {
        match self.domain.pm_wakeup(0) {
            Err(error) if self.activity()? != Activity::Running => {
                Err(explained(&error, "waking the domain"))
            }
            _ => Ok(()),
        }
    }

    /// Presses the power button.
    ///
    /// # Errors
    /// Where libvirt refuses and it still runs.
    pub(crate) fn shut_down(&self) -> Result<()> {
        match self.domain.shutdown() {
            Err(error) if self.is_active()? => Err(explained(&error, "asking the guest to shut down")),
            _ => Ok(()),
        }
    }

    /// Pulls the plug.
    ///
    /// # Errors
    /// Where libvirt refuses and it still runs.
    pub(crate) fn power_off(&self) -> Result<()> {
        match self.domain.destroy() {
            Err(error) if self.is_active()? => Err(explained(&error, "powering the guest off")),
            _ => Ok(()),
        }
    }

    /// Removes its definition with what libvirt keeps for it, the descriptions of snapshots only where that is allowed. Returns
    /// whether the driver took its NVRAM along: bhyve's takes no flags (seen up to 12.5).
    ///
    /// # Errors
    /// Where libvirt refuses.
    pub(crate) fn undefine(&self, with_snapshots: bool) -> Result<bool> {
        let mut everything = sys::VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | sys::VIR_DOMAIN_UNDEFINE_NVRAM;
        if with_snapshots {
            everything |=
                sys::VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA | sys::VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA;
        }
        let unknown_flags =
            |error: &Error| error.code().is(ErrorNumber::InvalidArg) && error.message().contains("flags");
        match self.domain.undefine_flags(everything) {
            Ok(()) => Ok(true),
            Err(error) if error.code().is(ErrorNumber::NoDomain) => Ok(true),
            Err(error) if unknown_flags(&error) || error.code().is(ErrorNumber::NoSupport) => {
                let result = self.domain.undefine();
                result.map(|()| false).map_err(|error| explained(&error, "undefining the domain"))
            }
            Err(error) => Err(explained(&error, "undefining the domain")),
        }
    }

    /// Whether the guest agent answers.
    pub(crate) fn agent_answers(&self, seconds: i32) -> Result<(), String> {
        let answer = self.domain.qemu_agent_command(r#"{"execute": "guest-ping"}"#, seconds, 0);
        answer.map(drop).map_err(|error| error.message().to_owned())
    }

    /// Connects its first console to `stream`.
    ///
    /// # Errors
    /// Where it has none, or somebody else reads it.
    pub(crate) fn open_console(&self, stream: &Stream) -> Result<()> {
        self.domain.open_console(None, stream, 0).map_err(|error| explained(&error, "opening its console"))
    }

    /// The domain for what is only read.
    pub(crate) fn domain(&self) -> &Domain {
        &self.domain
    }
}
