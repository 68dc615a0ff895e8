//! `zfs`: what a snapshot is, and its stream.

use std::io::{self, PipeReader};
use std::time::Duration;

use ansible_module::{Running, Tool};
use anyhow::{Context, Result, bail, ensure};

/// A volume of some TiB takes its time; a hanging send must end all the same.
const SEND_LIMIT: Duration = Duration::from_secs(24 * 3600);

/// The name of a snapshot, safe as an argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotName(String);

impl SnapshotName {
    /// Takes `DATASET@SNAPSHOT` in the characters that ZFS has.
    pub fn new(text: &str) -> Result<Self> {
        let well_formed = |part: &str| {
            part.starts_with(|c: char| c.is_ascii_alphanumeric())
                && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ':'))
        };
        let parts = text.split_once('@');
        ensure!(
            parts.is_some_and(
                |(dataset, snapshot)| dataset.split('/').all(well_formed) && well_formed(snapshot)
            ),
            "{text:?} is no name of a snapshot, expected DATASET@SNAPSHOT"
        );
        Ok(Self(text.to_owned()))
    }

    fn dataset(&self) -> &str {
        self.0.split_once('@').map_or("", |(dataset, _)| dataset)
    }
}

/// The guid of a snapshot.
pub fn guid(snapshot: &SnapshotName) -> Result<u64> {
    let reading = || format!("reading the guid of snapshot {}", snapshot.0);
    let command = Tool::find("zfs")?.command().args(["get", "-Hp", "-o", "value", "guid"]).arg(&snapshot.0);
    let found = command.run().with_context(reading)?.stdout;
    found.trim_end().parse().with_context(reading)
}

/// The snapshot of the same dataset that has this guid.
pub fn snapshot_with_guid(of: &SnapshotName, guid: u64) -> Result<SnapshotName> {
    let looking = || format!("looking for the snapshot of {} with guid {guid}", of.dataset());
    let command = Tool::find("zfs")?
        .command()
        .args(["list", "-Hp", "-t", "snapshot", "-d", "1", "-o", "name,guid"])
        .arg(of.dataset());
    let listed = command.run().with_context(looking)?.stdout;
    for line in listed.lines() {
        let Some((name, found)) = line.split_once('\t') else {
            bail!("{}: zfs list printed {line:?}, expected a name and a guid", looking())
        };
        if found.parse::<u64>().with_context(looking)? == guid {
            return SnapshotName::new(name);
        }
    }
    bail!("{}: there is none, so no stream can build on that image", looking())
}

/// A stream on its way out of `zfs send`.
pub struct Sending {
    /// The stream.
    pub stream: PipeReader,
    command: Running,
}

/// Starts `zfs send`, with large blocks as they are and everything else plain.
pub fn send(snapshot: &SnapshotName, base: Option<&SnapshotName>) -> Result<Sending> {
    let (stream, end) = io::pipe().context("making a pipe")?;
    let mut command = Tool::find("zfs")?.command().args(["send", "-L"]);
    if let Some(base) = base {
        command = command.arg("-i").arg(&base.0);
    }
    let command = command.arg(&snapshot.0).time_limit(SEND_LIMIT).stdout(end).spawn()?;
    Ok(Sending { stream, command })
}

impl Sending {
    /// Waits for the end of the command, whose stream must have been read to its own.
    pub fn finish(self) -> Result<()> {
        drop(self.stream);
        let finished = self.command.finish()?;
        match finished.rc() {
            0 => Ok(()),
            _ => Err(finished.failure().into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_snapshots_are_taken() {
        assert_eq!(SnapshotName::new("tank/vm/a.b@2026-11-22_x:1").unwrap().dataset(), "tank/vm/a.b");
        for text in [
            "tank/vm",
            "tank//vm@x",
            "tank/../vm@x",
            "-tank@x",
            "tank@",
            "@x",
            "tank@x@y",
            "tank@x y",
            "tank@-i",
        ] {
            assert_eq!(
                SnapshotName::new(text).unwrap_err().to_string(),
                format!("{text:?} is no name of a snapshot, expected DATASET@SNAPSHOT")
            );
        }
    }
}
