// SPDX-License-Identifier: GPL-3.0-or-later

//! How a domain starts with the host: by libvirt's own mark, at once, or in its turn, by the boot script of the role `hypervisor`.
//! The turn is kept in an element of its own in the domain's metadata, which the script reads with virsh.

use std::fmt;
use std::path::Path;

use roxmltree::{Document, Node};

use crate::names::ConnectUri;
use crate::observe::Found;
use crate::params::Params;
use crate::plan::Step;

/// Namespace of the turn in a domain's metadata; roles/hypervisor/files/apiary-guests looks for it.
pub(crate) const TURN: &str = "urn:x-apiary:bhyve:boot:1";
/// Its prefix there.
pub(crate) const PREFIX: &str = "apiaryboot";

/// Where the role `hypervisor` installs the script.
pub(crate) const SCRIPT: &str = "/usr/local/libexec/apiary-guests";

/// Highest order; the script sorts those without one behind it.
pub(crate) const LAST: u32 = 9999;
/// Longest delay in seconds, a day.
pub(crate) const LONGEST: u32 = 86_400;

/// When a guest's turn is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Lower ones come first; those without one come last.
    pub order: Option<u32>,
    /// Seconds to wait after it was started.
    pub delay: u32,
}

impl Turn {
    /// Reads libvirt's form of the element. One that cannot be read comes last, as it does for the script.
    pub(crate) fn parse(element: &str) -> Self {
        let document = Document::parse(element).ok();
        let number = |name| attribute(document.as_ref()?.root_element(), name);
        Self { order: number("order"), delay: number("delay").unwrap_or(0) }
    }

    /// The element for virDomainSetMetadata, which puts the namespace in.
    pub(crate) fn element(self) -> String {
        format!("<boot{self}/>")
    }

    /// The element as it stands in a domain's metadata.
    pub(crate) fn in_metadata(self) -> String {
        format!("<{PREFIX}:boot xmlns:{PREFIX}='{TURN}'{self}/>")
    }
}

fn attribute(node: Node<'_, '_>, name: &str) -> Option<u32> {
    node.attribute(name)?.parse().ok()
}

/// Its attributes.
impl fmt::Display for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.order.map_or(Ok(()), |order| write!(f, " order='{order}'"))?;
        if self.delay > 0 { write!(f, " delay='{}'", self.delay) } else { Ok(()) }
    }
}

/// How a domain starts with the host, if it does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Start {
    /// Libvirt's own mark.
    pub(crate) marked: bool,
    /// Its turn.
    pub(crate) turn: Option<Turn>,
}

impl Start {
    /// As it was found.
    pub(crate) fn found(found: Option<&Found>) -> Self {
        found.map(|found| Self { marked: found.autostart, turn: found.turn }).unwrap_or_default()
    }

    /// As it shall be. One that has a turn has no mark: libvirt would start it out of its turn.
    pub(crate) fn wanted(params: &Params, found: Option<&Found>) -> Self {
        match (params.autostart, params.turn()) {
            (None, _) => Self::found(found),
            (Some(false), _) => Self::default(),
            (Some(true), turn) => Self { marked: turn.is_none(), turn },
        }
    }

    /// The steps from here to there. They set before they take away: a guest that starts with the host does so whenever they are
    /// interrupted.
    pub(crate) fn steps_to(self, wanted: Self) -> impl Iterator<Item = Step> {
        let turn = (self.turn != wanted.turn).then_some(Step::Turn(wanted.turn));
        let mark = (self.marked != wanted.marked).then_some(Step::Autostart(wanted.marked));
        let (first, second) = if wanted.turn.is_some() { (turn, mark) } else { (mark, turn) };
        first.into_iter().chain(second)
    }

    /// Whether it starts with the host.
    pub(crate) fn is_on(self) -> bool {
        self.marked || self.turn.is_some()
    }
}

/// In words.
impl fmt::Display for Start {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(turn) = self.turn else { return write!(f, "{}", self.marked) };
        f.write_str("true")?;
        turn.order.map_or(Ok(()), |order| write!(f, ", order {order}"))?;
        if turn.delay > 0 {
            write!(f, ", delay {} s", turn.delay)?;
        }
        f.write_str(if self.marked { ", and marked in libvirt" } else { "" })
    }
}

/// Whether nobody on this machine starts guests in their turn. Of another machine it is not known.
pub(crate) fn nobody_starts(uri: &ConnectUri) -> bool {
    uri.is_this_machine() && !Path::new(SCRIPT).is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_is_read_back() {
        for (turn, element) in [
            (Turn { order: Some(10), delay: 30 }, "<boot order='10' delay='30'/>"),
            (Turn { order: Some(0), delay: 0 }, "<boot order='0'/>"),
            (Turn { order: None, delay: 5 }, "<boot delay='5'/>"),
        ] {
            assert_eq!(turn.element(), element);
            assert_eq!(Turn::parse(element), turn);
            assert_eq!(Turn::parse(&turn.in_metadata()), turn);
        }
        for damaged in ["<boot order='-1' delay='soon'/>", "<boot", ""] {
            assert_eq!(Turn::parse(damaged), Turn { order: None, delay: 0 }, "{damaged}");
        }
    }

    #[test]
    fn a_start_is_told_in_words() {
        let turn = |order, delay| Some(Turn { order, delay });
        for (marked, turn, words) in [
            (false, None, "false"),
            (true, None, "true"),
            (false, turn(Some(10), 30), "true, order 10, delay 30 s"),
            (false, turn(None, 30), "true, delay 30 s"),
            (true, turn(Some(0), 0), "true, order 0, and marked in libvirt"),
        ] {
            assert_eq!(Start { marked, turn }.to_string(), words);
        }
    }
}
