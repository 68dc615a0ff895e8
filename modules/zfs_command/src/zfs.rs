// SPDX-License-Identifier: GPL-3.0-or-later

//! The `zfs` command: its arguments, its output, its failures. No policy.

use std::os::fd::OwnedFd;
use std::time::Duration;

use ansible_module::{Command, Finished, Running, Tool};
use anyhow::{Context, Result};

use crate::history::{HISTORY_COLUMNS, Point, point};
use crate::name::{DatasetName, SnapshotName};
use crate::problem::{Problem, ZfsFailed, judge};
use crate::row::{COLUMNS, Property, Row, SNAPSHOT_COLUMNS, Snapshot, property, row, snapshot};
use crate::send::Sending;

/// Freeing a large volume may take long; nothing else does.
const DESTROY_LIMIT: Duration = Duration::from_secs(900);

/// A volume of some TiB takes its time; a send that hangs must end all the same.
const SEND_LIMIT: Duration = Duration::from_secs(24 * 3600);

/// A receive may run for hours on a slow pool; whoever feeds it notices when it dies.
const RECEIVE_LIMIT: Duration = Duration::from_secs(7 * 24 * 3600);

/// Names in one `zfs list`: what it says of those that do not exist must fit into what is kept of its stderr (16 KiB).
const BATCH: usize = 50;

/// The command, found.
#[derive(Clone, Debug)]
pub struct Zfs {
    tool: Tool,
}

/// What `zfs receive` is to make.
#[derive(Clone, Debug)]
pub struct Receive<'a> {
    /// `DATASET@SNAPSHOT`.
    pub target: &'a str,
    /// The snapshot whose clone an incremental stream becomes.
    pub origin: Option<&'a str>,
    /// Properties set before the data arrive.
    pub properties: &'a [(String, String)],
}

impl Zfs {
    /// Finds `zfs`.
    ///
    /// # Errors
    /// Where it is not installed.
    pub fn find() -> Result<Zfs> {
        Ok(Zfs { tool: Tool::find("zfs")? })
    }

    /// Lists `names` that exist, with what is up to `depth` levels below them.
    ///
    /// # Errors
    /// Where `zfs` fails for another reason than that some of them do not exist.
    pub fn list(&self, names: &[&str], depth: u8) -> Result<Vec<Row>> {
        self.listed(names, depth, COLUMNS)?.lines().map(row).collect()
    }

    /// Those of `names` that exist, and their snapshots, each with its value of the user property `mark`.
    ///
    /// # Errors
    /// Where `zfs` fails for another reason than that some of them do not exist.
    pub fn history(&self, names: &[&str], mark: &str) -> Result<Vec<Point>> {
        let columns = format!("{HISTORY_COLUMNS},{mark}");
        self.listed(names, 1, &columns)?.lines().map(point).collect()
    }

    fn listed(&self, names: &[&str], depth: u8, columns: &str) -> Result<String> {
        let listed = names.chunks(BATCH).map(|some| self.list_at_once(some, depth, columns));
        listed.collect()
    }

    fn list_at_once(&self, names: &[&str], depth: u8, columns: &str) -> Result<String> {
        let depth = depth.to_string();
        let kinds = "filesystem,volume,snapshot";
        let command = self.command(&["list", "-Hp", "-d", &depth, "-t", kinds, "-o", columns]);
        let finished = command.args(names).output()?;
        if !finished.status.success() {
            let only_missing =
                finished.stderr.lines().all(|line| Problem::of(line) == Some(Problem::Missing));
            if !only_missing || finished.stderr.is_empty() {
                return Err(ZfsFailed::explain(finished.failure())).context("listing datasets");
            }
        }
        Ok(finished.stdout)
    }

    /// The snapshots of `dataset` and of what is up to `depth` levels below it; its own have depth 1.
    ///
    /// # Errors
    /// Where there is no such dataset, or `zfs` fails for another reason.
    pub fn snapshots(&self, dataset: &DatasetName, depth: u8) -> Result<Vec<Snapshot>> {
        let depth = depth.to_string();
        let command = self.command(&["list", "-Hp", "-t", "snapshot", "-d", &depth, "-o", SNAPSHOT_COLUMNS]);
        let listed = finish(command.arg(dataset.as_str()))
            .with_context(|| format!("listing the snapshots of {dataset}"))?;
        listed.stdout.lines().map(snapshot).collect()
    }

    /// Properties `names` of `datasets`, all of which exist.
    ///
    /// # Errors
    /// Where `zfs` fails.
    pub fn get(&self, names: &str, datasets: &[&str]) -> Result<Vec<Property>> {
        let command = self.command(&["get", "-Hp", "-o", "name,property,value,source", names]).args(datasets);
        finish(command)?.stdout.lines().map(property).collect()
    }

    /// Starts `zfs receive`, which reads the stream from `stdin`.
    ///
    /// # Errors
    /// Where `zfs` cannot be started.
    pub fn receive(&self, receive: &Receive, stdin: OwnedFd) -> Result<Running> {
        let mut command = self.command(&["receive", "-u"]);
        for (name, value) in receive.properties {
            command = command.args(["-o".to_owned(), format!("{name}={value}")]);
        }
        if let Some(origin) = receive.origin {
            command = command.args(["-o".to_owned(), format!("origin={origin}")]);
        }
        command.arg(receive.target).stdin(stdin).time_limit(RECEIVE_LIMIT).spawn()
    }

    /// Starts `zfs send` of a snapshot, or of what it has more than `base`: large blocks as they are, everything else plain.
    ///
    /// # Errors
    /// Where it cannot be started.
    pub fn send(&self, snapshot: &SnapshotName, base: Option<&SnapshotName>) -> Result<Sending> {
        let mut command = self.command(&["send", "-L"]).time_limit(SEND_LIMIT);
        if let Some(base) = base {
            command = command.args(["-i", base.as_str()]);
        }
        Sending::start(command.arg(snapshot.as_str()))
    }

    /// Starts `zfs send` of a snapshot, or of what it has more than `base`, as it is stored: compressed blocks stay compressed.
    ///
    /// # Errors
    /// Where it cannot be started.
    pub fn send_as_stored(&self, snapshot: &SnapshotName, base: Option<&SnapshotName>) -> Result<Sending> {
        let mut command = self.command(&["send", "-L", "-c"]).time_limit(SEND_LIMIT);
        if let Some(base) = base {
            command = command.args(["-i", base.as_str()]);
        }
        Sending::start(command.arg(snapshot.as_str()))
    }

    /// Whether a volume that nobody has open holds what it held in `snapshot`, its newest one. `written` does not tell: a rollback by
    /// itself leaves some bytes of it (OpenZFS 2.3).
    ///
    /// # Errors
    /// Where `zfs` cannot tell, as while somebody has it open.
    pub fn is_as_in(&self, snapshot: &SnapshotName) -> Result<bool> {
        let command = self.command(&["send", "-i", snapshot.as_str(), snapshot.dataset().as_str()]);
        Sending::start(command)?.is_empty()
    }

    /// Makes `name` a clone of `snapshot`.
    ///
    /// # Errors
    /// Where `zfs` fails.
    pub fn clone_of(&self, snapshot: &str, name: &str, properties: &[(String, String)]) -> Result<()> {
        let mut command = self.command(&["clone"]);
        for (property, value) in properties {
            command = command.args(["-o".to_owned(), format!("{property}={value}")]);
        }
        finish(command.args([snapshot, name])).map(drop)
    }

    /// Makes an empty volume that reserves nothing.
    ///
    /// # Errors
    /// Where `zfs` fails.
    pub fn create_volume(&self, name: &str, volsize: u64, properties: &[(String, String)]) -> Result<()> {
        let mut command = self.command(&["create", "-s"]);
        for (property, value) in properties {
            command = command.args(["-o".to_owned(), format!("{property}={value}")]);
        }
        finish(command.args(["-V", &volsize.to_string(), name])).map(drop)
    }

    /// Gives a dataset or snapshot another name.
    ///
    /// # Errors
    /// Where `zfs` fails.
    pub fn rename(&self, from: &str, to: &str) -> Result<()> {
        finish(self.command(&["rename", from, to])).map(drop)
    }

    /// Sets a property.
    ///
    /// # Errors
    /// Where `zfs` fails.
    pub fn set(&self, property: &str, value: &str, name: &str) -> Result<()> {
        finish(self.command(&["set"]).arg(format!("{property}={value}")).arg(name)).map(drop)
    }

    /// Makes a property what it is without a local setting.
    ///
    /// # Errors
    /// Where `zfs` fails.
    pub fn inherit(&self, property: &str, name: &str) -> Result<()> {
        finish(self.command(&["inherit", property, name])).map(drop)
    }

    /// Takes snapshots, all of them at one moment or none, with a user property.
    ///
    /// # Errors
    /// Where `zfs` fails, or they are in more than one pool.
    pub fn take(&self, snapshots: &[SnapshotName], (property, value): (&str, &str)) -> Result<()> {
        let command = self.command(&["snapshot", "-o"]).arg(format!("{property}={value}"));
        finish(command.args(snapshots.iter().map(SnapshotName::as_str))).map(drop)
    }

    /// Makes a dataset what it was in `snapshot`, and destroys newer snapshots of it; never clones of them.
    ///
    /// # Errors
    /// Where `zfs` fails.
    pub fn roll_back(&self, snapshot: &SnapshotName) -> Result<()> {
        finish(self.command(&["rollback", "-r", snapshot.as_str()]).time_limit(DESTROY_LIMIT)).map(drop)
    }

    /// Destroys a snapshot, or a volume with its own snapshots; never what depends on them.
    ///
    /// # Errors
    /// Where `zfs` fails.
    pub fn destroy(&self, name: &str) -> Result<()> {
        let recursive: &[&str] = if name.contains('@') { &["destroy"] } else { &["destroy", "-r"] };
        finish(self.command(recursive).arg(name).time_limit(DESTROY_LIMIT)).map(drop)
    }

    fn command(&self, args: &[&str]) -> Command {
        self.tool.command().args(args)
    }
}

fn finish(command: Command) -> Result<Finished> {
    judge(command.output()?)
}
