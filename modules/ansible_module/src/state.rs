// SPDX-License-Identifier: GPL-3.0-or-later

//! The option `state` in its plain form.

use serde::Deserialize;

/// Whether something is to be there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It is, as the other options say.
    #[default]
    Present,
    /// It is gone.
    Absent,
}
