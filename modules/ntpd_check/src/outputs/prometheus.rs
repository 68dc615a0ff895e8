// SPDX-License-Identifier: GPL-3.0-or-later

//! A file for the textfile collector of node_exporter: base units, HELP and TYPE for each, no timestamps.

mod clock;
mod page;
mod peers;

use std::path::Path;
use std::time::Duration;

use ansible_module::files::{sweep_for, write_atomically};
use ansible_module::workbench;
use anyhow::Result;

use super::Outcome;
use page::Page;

/// Far above the time that writing a small file takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// Replaces the file in one step, and removes what dead runs left of it; the collector runs as another user and must be able
/// to read it.
///
/// # Errors
/// Where its folder cannot be written.
pub fn write(path: &Path, outcome: &Outcome) -> Result<()> {
    let _lock = workbench::alone_at(path, PATIENCE)?;
    sweep_for(path)?;
    write_atomically(path, 0o644, text(outcome).as_bytes())
}

/// The metrics in text exposition format; what is not known is absent, never 0.
pub fn text(outcome: &Outcome) -> String {
    let mut page = Page::default();
    clock::all(&mut page, outcome);
    peers::all(&mut page, outcome);
    page.text
}

fn flag(value: bool) -> f64 {
    f64::from(u8::from(value))
}
