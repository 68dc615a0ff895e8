// SPDX-License-Identifier: GPL-3.0-or-later

//! libvirt: the calls on one domain. A race that another manager has won is not an error. No policy.

mod metadata;

use anyhow::Result;
use uuid::Uuid;
use virt::domain::Domain;
use virt::error::{Error, ErrorNumber};
use virt::stream::Stream;
use virt::sys;

use crate::activity::Activity;
use crate::errors::explained;

pub use self::metadata::Reach;

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

    /// Removes its definition alone: the variables of its firmware stay. bhyve's driver leaves them anyway, and takes no flags.
    ///
    /// # Errors
    /// Where libvirt refuses.
    pub(crate) fn release(&self) -> Result<()> {
        let unknown_flags =
            |error: &Error| error.code().is(ErrorNumber::InvalidArg) && error.message().contains("flags");
        let released = match self.domain.undefine_flags(sys::VIR_DOMAIN_UNDEFINE_KEEP_NVRAM) {
            Err(error) if unknown_flags(&error) || error.code().is(ErrorNumber::NoSupport) => {
                self.domain.undefine()
            }
            result => result,
        };
        match released {
            Err(error) if !error.code().is(ErrorNumber::NoDomain) => {
                Err(explained(&error, "undefining the domain"))
            }
            _ => Ok(()),
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
