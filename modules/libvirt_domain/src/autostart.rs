// SPDX-License-Identifier: GPL-3.0-or-later

//! How a domain starts with the host: by libvirt's own mark, at once, or in its turn.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::params::Params;
use crate::turn::Turn;

/// How a domain starts with the host, if it does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Start {
    /// Libvirt's own mark.
    pub(crate) marked: bool,
    /// Its turn.
    pub(crate) turn: Option<Turn>,
}

impl Start {
    /// As it shall be, where it is `found` as it is. One that has a turn has no mark: libvirt would start it out of its turn.
    pub(crate) fn wanted(params: &Params, found: Self) -> Self {
        match (params.autostart, params.turn()) {
            (None, _) => found,
            (Some(false), _) => Self::default(),
            (Some(true), turn) => Self { marked: turn.is_none(), turn },
        }
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

#[cfg(test)]
mod tests {
    use super::*;

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
