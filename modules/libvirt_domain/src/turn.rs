// SPDX-License-Identifier: GPL-3.0-or-later

//! The turn in which a domain starts with the host, by the boot script of the role `hypervisor`: it is kept in an element of its own
//! in the domain's metadata, which the script reads with virsh.

use std::fmt;
use std::path::Path;

use roxmltree::{Document, Node};
use serde::{Deserialize, Serialize};

use crate::names::ConnectUri;

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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
}
