//! The `zfs` command: its arguments, its output, its failures. No policy.

use std::os::fd::OwnedFd;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use ansible_module::{Command, Finished, Running, Tool};

use super::problem::{Problem, ZfsFailed};

/// Freeing a large volume may take long; nothing else does.
const DESTROY_LIMIT: Duration = Duration::from_secs(900);

/// A receive may run for hours on a slow pool; whoever feeds it notices when it dies.
const RECEIVE_LIMIT: Duration = Duration::from_secs(7 * 24 * 3600);

const COLUMNS: &str = "name,type,guid,volsize,volblocksize,available,origin,clones,userrefs,volmode";

/// Names in one `zfs list`: what it says of those that do not exist must fit into what is kept of its stderr (16 KiB).
const BATCH: usize = 50;

/// The command, found.
#[derive(Clone, Debug)]
pub struct Zfs {
    tool: Tool,
}

/// What a dataset is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// May hold others.
    Filesystem,
    /// A block device.
    Volume,
    /// A frozen state.
    Snapshot,
}

/// One line of `zfs list`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Full name.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Its guid; a snapshot keeps it over send and receive.
    pub guid: u64,
    /// Bytes of a volume, now or in this snapshot.
    pub volsize: Option<u64>,
    /// Block size of a volume in bytes.
    pub volblocksize: Option<u64>,
    /// Bytes that may still be written below it.
    pub available: Option<u64>,
    /// The snapshot it is a clone of.
    pub origin: Option<String>,
    /// Datasets that are clones of this snapshot.
    pub clones: Vec<String>,
    /// Number of holds on this snapshot.
    pub holds: u64,
    /// Effective `volmode`: of a file system what volumes in it inherit.
    pub volmode: Option<String>,
}

/// One line of `zfs get`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Property {
    /// Dataset.
    pub dataset: String,
    /// Property.
    pub name: String,
    /// Value as `-p` prints it; `-` for a user property that is not set.
    pub value: String,
    /// Set on this dataset itself, not inherited, received or default.
    pub local: bool,
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
        let tool =
            Tool::find("zfs").context("a dataset was asked for; a host without ZFS takes a path instead")?;
        Ok(Zfs { tool })
    }

    /// Lists `names` that exist, with what is up to `depth` levels below them.
    ///
    /// # Errors
    /// Where `zfs` fails for another reason than that some of them do not exist.
    pub fn list(&self, names: &[&str], depth: u8) -> Result<Vec<Row>> {
        let mut rows = Vec::new();
        for some in names.chunks(BATCH) {
            rows.extend(self.list_at_once(some, depth)?);
        }
        Ok(rows)
    }

    fn list_at_once(&self, names: &[&str], depth: u8) -> Result<Vec<Row>> {
        let command = self.command(&[
            "list",
            "-Hp",
            "-d",
            &depth.to_string(),
            "-t",
            "filesystem,volume,snapshot",
            "-o",
            COLUMNS,
        ]);
        let finished = command.args(names).output()?;
        if !finished.status.success() {
            let only_missing =
                finished.stderr.lines().all(|line| Problem::of(line) == Some(Problem::Missing));
            if !only_missing || finished.stderr.is_empty() {
                return Err(ZfsFailed::explain(finished.failure())).context("listing datasets");
            }
        }
        finished.stdout.lines().map(row).collect()
    }

    /// Properties `names` of `datasets`, all of which exist.
    pub fn get(&self, names: &str, datasets: &[&str]) -> Result<Vec<Property>> {
        let command = self.command(&["get", "-Hp", "-o", "name,property,value,source", names]).args(datasets);
        finish(command)?.stdout.lines().map(property).collect()
    }

    /// Starts `zfs receive`, which reads the stream from `stdin`.
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

    /// Makes `name` a clone of `snapshot`.
    pub fn clone_of(&self, snapshot: &str, name: &str, properties: &[(String, String)]) -> Result<()> {
        let mut command = self.command(&["clone"]);
        for (property, value) in properties {
            command = command.args(["-o".to_owned(), format!("{property}={value}")]);
        }
        finish(command.args([snapshot, name])).map(drop)
    }

    /// Gives a dataset or snapshot another name.
    pub fn rename(&self, from: &str, to: &str) -> Result<()> {
        finish(self.command(&["rename", from, to])).map(drop)
    }

    /// Sets a property.
    pub fn set(&self, property: &str, value: &str, name: &str) -> Result<()> {
        finish(self.command(&["set"]).arg(format!("{property}={value}")).arg(name)).map(drop)
    }

    /// Makes a property what it is without a local setting.
    pub fn inherit(&self, property: &str, name: &str) -> Result<()> {
        finish(self.command(&["inherit", property, name])).map(drop)
    }

    /// Destroys a snapshot, or a volume with its own snapshots; never what depends on them.
    pub fn destroy(&self, name: &str) -> Result<()> {
        let recursive: &[&str] = if name.contains('@') { &["destroy"] } else { &["destroy", "-r"] };
        finish(self.command(recursive).arg(name).time_limit(DESTROY_LIMIT)).map(drop)
    }

    fn command(&self, args: &[&str]) -> Command {
        self.tool.command().args(args)
    }
}

/// Judges a command that has ended.
pub fn judge(finished: Finished) -> Result<Finished> {
    if finished.status.success() { Ok(finished) } else { Err(ZfsFailed::explain(finished.failure())) }
}

fn finish(command: Command) -> Result<Finished> {
    judge(command.output()?)
}

fn row(line: &str) -> Result<Row> {
    let doing = || format!("reading the line {line:?} of `zfs list -Hp -o {COLUMNS}`");
    let fields: Vec<&str> = line.split('\t').collect();
    let [name, kind, guid, volsize, volblocksize, available, origin, clones, holds, volmode] = fields[..]
    else {
        bail!("{}: expected 10 fields, found {}", doing(), fields.len());
    };
    let number = |text: &str| -> Result<Option<u64>> {
        if text == "-" { Ok(None) } else { text.parse().map(Some).with_context(doing) }
    };
    let kind = match kind {
        "filesystem" => Kind::Filesystem,
        "volume" => Kind::Volume,
        "snapshot" => Kind::Snapshot,
        other => bail!("{}: unknown type {other:?}", doing()),
    };
    Ok(Row {
        name: name.to_owned(),
        kind,
        guid: guid.parse().with_context(doing)?,
        volsize: number(volsize)?,
        volblocksize: number(volblocksize)?,
        available: number(available)?,
        origin: (origin != "-").then(|| origin.to_owned()),
        clones: clones
            .split(',')
            .filter(|name| !name.is_empty() && *name != "-")
            .map(str::to_owned)
            .collect(),
        holds: number(holds)?.unwrap_or(0),
        volmode: (volmode != "-").then(|| volmode.to_owned()),
    })
}

fn property(line: &str) -> Result<Property> {
    // A value may hold tabs: the name and the property come before it, the source behind.
    let fields = line.splitn(3, '\t').collect::<Vec<_>>();
    let [dataset, name, rest] = fields[..] else {
        bail!("reading the line {line:?} of `zfs get -Hp`: expected 4 fields, found {}", fields.len());
    };
    let source = rest.rsplit_once('\t');
    ensure!(source.is_some(), "reading the line {line:?} of `zfs get -Hp`: expected 4 fields, found 3");
    let (value, source) = source.unwrap_or_default();
    Ok(Property {
        dataset: dataset.to_owned(),
        name: name.to_owned(),
        value: value.to_owned(),
        local: source == "local",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_zfs_list_are_read() {
        // zfs list -Hp -d 1 -t filesystem,volume,snapshot -o name,...,userrefs tank/i (OpenZFS 2.3.2)
        let volume = "tank/i\tvolume\t9457928612097140911\t16777216\t16384\t16116137984\t-\t-\t-\tdefault";
        assert_eq!(
            row(volume).unwrap(),
            Row {
                name: "tank/i".to_owned(),
                kind: Kind::Volume,
                guid: 9_457_928_612_097_140_911,
                volsize: Some(16_777_216),
                volblocksize: Some(16384),
                available: Some(16_116_137_984),
                origin: None,
                clones: vec![],
                holds: 0,
                volmode: Some("default".to_owned()),
            }
        );
        let snapshot = row(
            "tank/i@image\tsnapshot\t13942515660229873079\t16777216\t-\t-\t-\ttank/vm/a,tank/vm/b\t2\tnone",
        )
        .unwrap();
        assert_eq!((snapshot.kind, snapshot.holds), (Kind::Snapshot, 2));
        assert_eq!(snapshot.clones, ["tank/vm/a", "tank/vm/b"]);
        let empty = row("tank/i@image\tsnapshot\t1\t16777216\t-\t-\t-\t\t0\tdefault").unwrap();
        assert!(empty.clones.is_empty());
    }

    #[test]
    fn lines_that_are_none_are_not_dropped() {
        assert!(row("tank/i\tvolume").unwrap_err().to_string().ends_with("expected 10 fields, found 2"));
        assert!(
            row("a\tpool\t1\t-\t-\t-\t-\t-\t-\t-")
                .unwrap_err()
                .to_string()
                .ends_with("unknown type \"pool\"")
        );
        assert!(row("a\tvolume\tx\t-\t-\t-\t-\t-\t-\t-").is_err());
        assert!(property("a\tb\tc").is_err());
    }

    #[test]
    fn lines_of_zfs_get_are_read() {
        // zfs get -Hp -o name,property,value,source volmode,org.example:note tank/i
        let note = property("tank/i\torg.example:note\ttwo\twords\tlocal").unwrap();
        assert_eq!(
            (note.name.as_str(), note.value.as_str(), note.local),
            ("org.example:note", "two\twords", true)
        );
        assert!(!property("tank/i\tvolmode\tdefault\tdefault").unwrap().local);
    }
}
