// SPDX-License-Identifier: GPL-3.0-or-later

//! What a change looks like to the user: state, autostart and the definition, in the user's own words.

use std::fmt;

use ansible_module::Diff;

use crate::autostart::Start;
use crate::definition::Definition;
use crate::difference::restart_is_due;
use crate::observe::Found;
use crate::params::Params;

/// The definition before and after: as given where we know, in libvirt's form where it came about without us.
pub(crate) fn forms(definition: Option<&Definition>, found: Option<&Found>) -> (String, String) {
    let before = found.map(current_form).unwrap_or_default();
    let Some(definition) = definition else { return (before.clone(), before) };
    let given = definition.shown().to_owned();
    let Some((found, receipt)) = found.and_then(|found| Some((found, found.defined.receipt.as_ref()?)))
    else {
        return (before, given);
    };
    let same_text = receipt.given == given;
    let secret_only = same_text && receipt.given_meaning != definition.meaning();
    let mut after = if secret_only { format!("{given}\na password: changed") } else { given };
    if !found.defined.is_untouched() {
        after = format!("{after}\n{EDITED}\n{}", receipt.made.trim_end());
    }
    (before, after)
}

const EDITED: &str = "in libvirt's form, which was edited since:";

pub(crate) fn current_form(found: &Found) -> String {
    match &found.defined.receipt {
        None => found.defined.shown.trim_end().to_owned(),
        Some(receipt) if found.defined.is_untouched() => receipt.given.clone(),
        Some(receipt) => format!("{}\n{EDITED}\n{}", receipt.given, found.defined.shown.trim_end()),
    }
}

/// A domain as one side of the diff.
pub(crate) struct Shown<'a> {
    pub(crate) state: &'a str,
    pub(crate) memory_saved: bool,
    pub(crate) restart_required: bool,
    pub(crate) start: Start,
    pub(crate) form: &'a str,
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let saved = if self.memory_saved { ", memory saved" } else { "" };
        let restart = if self.restart_required { ", restart required" } else { "" };
        writeln!(f, "state: {}{saved}{restart}", self.state)?;
        writeln!(f, "autostart: {}\ndefinition:\n{}", self.start, self.form)
    }
}

/// The domain as it was found.
pub(crate) fn described(found: &Found, form: &str) -> String {
    Shown {
        state: found.activity.word(),
        memory_saved: found.saved.is_some(),
        restart_required: restart_is_due(found),
        start: found.start,
        form,
    }
    .to_string()
}

pub(crate) fn diff(params: &Params, before: String, after: String) -> Diff {
    Diff { before, after, header: format!("domain {}", params.name) }
}
