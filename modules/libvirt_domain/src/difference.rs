// SPDX-License-Identifier: GPL-3.0-or-later

//! Whether a running or saved instance is what its domain is defined as, or what is given now.

use crate::definition::Definition;
use crate::observe::Found;
use crate::receipt::{lacks_an_edit, runs_an_edit};

/// Whether this very definition waits for the next start already.
pub(crate) fn waits(definition: &Definition, found: Option<&Found>) -> bool {
    let waiting = found.and_then(|found| found.waiting.as_ref());
    waiting.is_some_and(|receipt| receipt.given_meaning == definition.meaning())
}

/// Whether the running instance is not what its domain is defined as.
pub(crate) fn restart_is_due(found: &Found) -> bool {
    found.activity.is_active() && instance_differs(found)
}

/// Whether the instance, be it running or saved, was started from another definition than the domain has now; of a domain that we
/// did not define nobody can tell.
pub(crate) fn instance_differs(found: &Found) -> bool {
    let Some(running) = found.instance() else { return false };
    if let Some(waiting) = &found.waiting {
        return running.receipt.as_ref().is_none_or(|receipt| receipt.given_meaning != waiting.given_meaning);
    }
    let defined = found.defined.receipt.as_ref();
    defined.is_some_and(|defined| {
        let edited = !found.defined.is_untouched();
        running.receipt.as_ref().is_none_or(|receipt| receipt.made_digest != defined.made_digest)
            || edited && lacks_an_edit(&defined.made, &found.defined.shown, &running.shown)
    })
}

/// Whether what is given now is not what was given when the running instance was defined.
pub(crate) fn is_given_anew(definition: &Definition, found: &Found) -> bool {
    let Some(running) = found.instance() else { return false };
    running.receipt.as_ref().is_none_or(|receipt| receipt.given_meaning != definition.meaning())
}

/// Whether the instance runs what somebody has edited since its domain was defined here.
pub(crate) fn instance_has_edits(found: &Found) -> bool {
    match (found.instance(), &found.defined.receipt) {
        (Some(running), Some(receipt)) if !found.defined.is_untouched() => {
            runs_an_edit(&receipt.made, &found.defined.shown, &running.shown)
        }
        _ => false,
    }
}
