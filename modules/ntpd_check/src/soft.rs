// SPDX-License-Identifier: GPL-3.0-or-later

//! Soft states, for schedulers that have none: an alert comes at the Nth bad look in a row, and ends at the first good one.

use std::fs;
use std::path::Path;
use std::time::Duration;

use ansible_module::files::{if_there, write_atomically};
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::session::Mode;
use crate::state;
use crate::verdict::Severity;

/// Counting takes no time; another run may be counting.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is remembered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Count {
    bad: u32,
}

/// What is to be reported of one look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    /// The state.
    pub severity: Severity,
    /// Which look of how many it is, while the state is soft.
    pub soft: Option<(u32, u32)>,
}

impl Shown {
    /// A state that is reported as it is.
    pub fn hard(severity: Severity) -> Self {
        Self { severity, soft: None }
    }
}

/// Counts a look and says what to report of it.
///
/// # Errors
/// Where the count cannot be kept: then the state has to be taken as hard.
pub fn settle(path: &Path, severity: Severity, attempts: u32, mode: Mode) -> Result<Shown> {
    if attempts < 2 {
        return Ok(Shown::hard(severity));
    }
    let path = path.with_extension("soft");
    let _lock = state::lock(&path, PATIENCE)?;
    let doing = || format!("counting bad looks in {}", path.display());
    // A count that cannot be read begins anew.
    let before = if_there(fs::read_to_string(&path)).with_context(doing)?.unwrap_or_default();
    let before: Count = serde_json::from_str(&before).unwrap_or_default();
    let bad = if severity == Severity::Ok { 0 } else { before.bad.saturating_add(1).min(attempts) };
    if mode == Mode::Run {
        write_atomically(&path, 0o600, serde_json::to_string(&Count { bad })?.as_bytes())
            .with_context(doing)?;
    }
    Ok(if bad > 0 && bad < attempts {
        Shown { severity: Severity::Ok, soft: Some((bad, attempts)) }
    } else {
        Shown::hard(severity)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_comes_at_the_third_bad_look_and_ends_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        let look = |severity| settle(&path, severity, 3, Mode::Run).unwrap();
        let soft = |number| Shown { severity: Severity::Ok, soft: Some((number, 3)) };
        assert_eq!(look(Severity::Critical), soft(1));
        assert_eq!(look(Severity::Warning), soft(2));
        assert_eq!(look(Severity::Critical), Shown::hard(Severity::Critical));
        assert_eq!(look(Severity::Warning), Shown::hard(Severity::Warning));
        assert_eq!(look(Severity::Ok), Shown::hard(Severity::Ok));
        assert_eq!(look(Severity::Unknown), soft(1));
        // A look that only asks what would be does not count.
        assert_eq!(settle(&path, Severity::Critical, 3, Mode::Check).unwrap(), soft(2));
        assert_eq!(settle(&path, Severity::Critical, 3, Mode::Run).unwrap(), soft(2));
        fs::write(path.with_extension("soft"), "{").unwrap();
        assert_eq!(settle(&path, Severity::Critical, 3, Mode::Run).unwrap(), soft(1));
        assert_eq!(settle(&path, Severity::Critical, 1, Mode::Run).unwrap(), Shown::hard(Severity::Critical));
    }
}
