// SPDX-License-Identifier: GPL-3.0-or-later

//! What has become of a guest that has stopped while it was needed, in the words of an error.

use virt::domain::{DomainShutoffReason, DomainStateReason};
use virt::enumutil::Enum;
use virt::error::ErrorNumber;

use crate::console::{self, Console};
use crate::guest::Guest;
use crate::hypervisor_log;
use crate::names::{ConnectUri, DomainName};

/// Which domain of which hypervisor.
#[derive(Clone, Copy)]
pub(crate) struct DomainAt<'a> {
    pub(crate) uri: &'a ConnectUri,
    pub(crate) name: &'a DomainName,
}

/// Why it has stopped, and what it and its hypervisor wrote last.
pub(crate) fn account(guest: &Guest, at: DomainAt<'_>, console: Option<&mut Console>) -> String {
    format!("{}; {}; {}", why(guest), console::quoted(console), hypervisor_log::quoted(at.uri, at.name))
}

fn why(guest: &Guest) -> &'static str {
    match guest.domain().state() {
        Ok((_, Enum::Known(DomainStateReason::Shutoff(Enum::Known(reason))))) => words(reason),
        Err(error) if error.code().is(ErrorNumber::NoDomain) => "libvirt does not know the domain any more",
        _ => words(DomainShutoffReason::Unknown),
    }
}

fn words(reason: DomainShutoffReason) -> &'static str {
    match reason {
        DomainShutoffReason::Unknown => "libvirt does not know why",
        DomainShutoffReason::Shutdown => "it has shut down",
        DomainShutoffReason::Destroyed => "somebody has powered it off",
        DomainShutoffReason::Crashed => "it has crashed, or its process was killed",
        DomainShutoffReason::Migrated => "it was moved to another host",
        DomainShutoffReason::Saved => "its memory was saved to disk",
        DomainShutoffReason::Failed => "it failed to start",
        DomainShutoffReason::FromSnapshot => "a snapshot of it was restored in which it does not run",
        DomainShutoffReason::Daemon => "libvirt's daemon could not take it over when it was restarted",
    }
}
