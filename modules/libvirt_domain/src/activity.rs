// SPDX-License-Identifier: GPL-3.0-or-later

//! What a domain does at the moment.

use virt::domain::{
    DomainPausedReason, DomainState, DomainStateEnum, DomainStateReason, DomainStateReasonEnum,
};
use virt::enumutil::Enum;

/// What a domain does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// It runs.
    Running,
    /// It is there, but its processors stand still.
    Paused(Pause),
    /// The guest has put itself to sleep.
    Suspended,
    /// The guest has shut down, and its process is about to end.
    Stopping,
    /// The guest has crashed, and its process was kept (`<on_crash>preserve</on_crash>`).
    Crashed,
    /// It does not run.
    Shutoff,
}

/// Why a domain's processors stand still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pause {
    /// Somebody has paused it, or it has not run yet.
    Asked,
    /// It could not write to one of its disks, or read from it.
    DiskError,
    /// Something that libvirt does not know: one of those is a second I/O error (seen in libvirt 11.3).
    Unknown,
    /// The guest has not served its watchdog.
    Watchdog,
    /// libvirt is doing something with it, after which it lets it go on.
    Job(&'static str),
}

impl Activity {
    /// What libvirt's words for it mean. Some drivers say `crashed` of a domain that does not run.
    pub(crate) fn read(state: DomainStateEnum, reason: DomainStateReasonEnum, is_active: bool) -> Self {
        if !is_active {
            return Activity::Shutoff;
        }
        match (state, reason) {
            (_, Enum::Known(DomainStateReason::Paused(Enum::Known(reason)))) => Self::of_pause(reason),
            (Enum::Known(DomainState::Paused), _) => Activity::Paused(Pause::Asked),
            (Enum::Known(DomainState::PMSuspended), _) => Activity::Suspended,
            (Enum::Known(DomainState::Shutdown), _) => Activity::Stopping,
            (Enum::Known(DomainState::Crashed), _) => Activity::Crashed,
            _ => Activity::Running,
        }
    }

    fn of_pause(reason: DomainPausedReason) -> Self {
        use DomainPausedReason as Reason;
        Activity::Paused(match reason {
            Reason::ShuttingDown => return Activity::Stopping,
            Reason::Crashed => return Activity::Crashed,
            Reason::IOError => Pause::DiskError,
            Reason::Watchdog => Pause::Watchdog,
            Reason::Migration => Pause::Job("is being moved to another host"),
            Reason::PostCopy => Pause::Job("is being moved to another host"),
            Reason::PostCopyFailed => Pause::Job("was being moved to another host, which has failed"),
            Reason::Save => Pause::Job("has its memory saved"),
            Reason::Dump => Pause::Job("has its memory dumped"),
            Reason::Snapshot => Pause::Job("has a snapshot taken"),
            Reason::Unknown => Pause::Unknown,
            Reason::User | Reason::FromSnapshot | Reason::StartingUp | Reason::APIError => Pause::Asked,
        })
    }

    /// The word for it in replies.
    pub fn word(self) -> &'static str {
        match self {
            Activity::Running => "running",
            Activity::Paused(_) => "paused",
            Activity::Suspended => "suspended",
            Activity::Stopping => "stopping",
            Activity::Crashed => "crashed",
            Activity::Shutoff => "shutoff",
        }
    }

    /// Whether a process of the hypervisor exists for it.
    pub fn is_active(self) -> bool {
        self != Activity::Shutoff
    }

    /// Whether it is there, and its guest cannot hear its power button: none of its processors run.
    pub fn is_deaf(self) -> bool {
        matches!(self, Activity::Paused(_) | Activity::Suspended | Activity::Crashed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `state` and `reason` as virDomainGetState gives them.
    fn read(state: u32, reason: DomainStateReason) -> Activity {
        Activity::read(DomainStateEnum::from_raw(state), Enum::Known(reason), true)
    }

    #[test]
    fn libvirts_states_are_read() {
        use DomainPausedReason as Reason;
        let paused = |reason| read(3, DomainStateReason::Paused(Enum::Known(reason)));
        assert_eq!(paused(Reason::User), Activity::Paused(Pause::Asked));
        assert_eq!(paused(Reason::IOError), Activity::Paused(Pause::DiskError));
        assert_eq!(paused(Reason::Unknown), Activity::Paused(Pause::Unknown));
        assert_eq!(paused(Reason::Watchdog), Activity::Paused(Pause::Watchdog));
        assert_eq!(paused(Reason::Save), Activity::Paused(Pause::Job("has its memory saved")));
        assert_eq!(paused(Reason::ShuttingDown), Activity::Stopping);
        assert_eq!(paused(Reason::Crashed), Activity::Crashed);
        let other = || DomainStateReason::Shutdown(Enum::from_raw(0));
        for (state, activity) in [
            (1, Activity::Running),
            (2, Activity::Running),
            (3, Activity::Paused(Pause::Asked)),
            (4, Activity::Stopping),
            (5, Activity::Running),
            (6, Activity::Crashed),
            (7, Activity::Suspended),
            (99, Activity::Running),
        ] {
            assert_eq!(read(state, other()), activity, "{state}");
        }
        let off = Activity::read(DomainStateEnum::from_raw(6), Enum::Known(other()), false);
        assert_eq!(off, Activity::Shutoff);
    }
}
