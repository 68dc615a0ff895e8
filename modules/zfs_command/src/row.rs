// SPDX-License-Identifier: GPL-3.0-or-later

//! Lines of what zfs(8) prints for programs.

use anyhow::{Context, Result, bail, ensure};

use crate::guid::Guid;

/// The columns of a [`Row`].
pub const COLUMNS: &str = "name,type,guid,volsize,volblocksize,available,origin,clones,userrefs,volmode";

/// The columns of a [`Snapshot`].
pub const SNAPSHOT_COLUMNS: &str = "name,guid,clones";

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

impl Kind {
    /// The kind that zfs(8) calls by this word.
    ///
    /// # Errors
    /// Where it is another word.
    pub fn of(word: &str) -> Result<Kind> {
        match word {
            "filesystem" => Ok(Kind::Filesystem),
            "volume" => Ok(Kind::Volume),
            "snapshot" => Ok(Kind::Snapshot),
            other => bail!("unknown type {other:?}"),
        }
    }
}

/// One line of `zfs list`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The name from the pool on.
    pub name: String,
    /// File system, volume or snapshot.
    pub kind: Kind,
    /// Its guid; a snapshot keeps it over send and receive.
    pub guid: Guid,
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

/// One line of `zfs list` of snapshots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// `DATASET@SNAPSHOT`.
    pub name: String,
    /// Its guid; it keeps it over send and receive.
    pub guid: Guid,
    /// Datasets that are clones of it.
    pub clones: Vec<String>,
}

/// One line of `zfs get`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Property {
    /// The dataset or snapshot that has it.
    pub dataset: String,
    /// The property's name.
    pub name: String,
    /// Value as `-p` prints it; `-` for a user property that is not set.
    pub value: String,
    /// Set on this dataset itself, not inherited, received or default.
    pub local: bool,
}

/// Reads a line of `zfs list -Hp` with all columns of a [`Row`].
pub fn row(line: &str) -> Result<Row> {
    let doing = || format!("reading the line {line:?} of `zfs list -Hp -o {COLUMNS}`");
    let fields: Vec<&str> = line.split('\t').collect();
    let [name, kind, guid, volsize, volblocksize, available, origin, clones, holds, volmode] = fields[..]
    else {
        bail!("{}: expected 10 fields, found {}", doing(), fields.len());
    };
    let number = |text: &str| -> Result<Option<u64>> {
        if text == "-" { Ok(None) } else { text.parse().map(Some).with_context(doing) }
    };
    Ok(Row {
        name: name.to_owned(),
        kind: Kind::of(kind).with_context(doing)?,
        guid: Guid(guid.parse().with_context(doing)?),
        volsize: number(volsize)?,
        volblocksize: number(volblocksize)?,
        available: number(available)?,
        origin: (origin != "-").then(|| origin.to_owned()),
        clones: list(clones),
        holds: number(holds)?.unwrap_or(0),
        volmode: (volmode != "-").then(|| volmode.to_owned()),
    })
}

/// A list of names, with commas between them.
pub fn list(names: &str) -> Vec<String> {
    names.split(',').filter(|name| !name.is_empty() && *name != "-").map(str::to_owned).collect()
}

/// Reads a line of `zfs list -Hp -t snapshot -o name,guid,clones`.
pub fn snapshot(line: &str) -> Result<Snapshot> {
    let doing = || format!("reading the line {line:?} of `zfs list -Hp -o {SNAPSHOT_COLUMNS}`");
    let fields: Vec<&str> = line.split('\t').collect();
    let [name, guid, clones] = fields[..] else {
        bail!("{}: expected 3 fields, found {}", doing(), fields.len());
    };
    let guid = Guid(guid.parse().with_context(doing)?);
    Ok(Snapshot { name: name.to_owned(), guid, clones: list(clones) })
}

/// Reads a line of `zfs get -Hp -o name,property,value,source`.
pub fn property(line: &str) -> Result<Property> {
    // A value may hold tabs: the name and the property come before it, the source after.
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
                guid: Guid(9_457_928_612_097_140_911),
                volsize: Some(16_777_216),
                volblocksize: Some(16384),
                available: Some(16_116_137_984),
                origin: None,
                clones: vec![],
                holds: 0,
                volmode: Some("default".to_owned()),
            }
        );
        let held = row(
            "tank/i@image\tsnapshot\t13942515660229873079\t16777216\t-\t-\t-\ttank/vm/a,tank/vm/b\t2\tnone",
        )
        .unwrap();
        assert_eq!((held.kind, held.holds), (Kind::Snapshot, 2));
        assert_eq!(held.clones, ["tank/vm/a", "tank/vm/b"]);
        let empty = row("tank/i@image\tsnapshot\t1\t16777216\t-\t-\t-\t\t0\tdefault").unwrap();
        assert!(empty.clones.is_empty());
        let short = snapshot("tank/i@image\t42\ttank/vm/a,tank/vm/b").unwrap();
        assert_eq!((short.guid, short.clones.len()), (Guid(42), 2));
        for none in ["-", ""] {
            assert!(snapshot(&format!("tank/i@image\t42\t{none}")).unwrap().clones.is_empty());
        }
    }

    #[test]
    fn lines_that_are_none_are_not_dropped() {
        assert!(row("tank/i\tvolume").unwrap_err().to_string().ends_with("expected 10 fields, found 2"));
        assert!(
            row("a\tpool\t1\t-\t-\t-\t-\t-\t-\t-")
                .unwrap_err()
                .root_cause()
                .to_string()
                .ends_with("unknown type \"pool\"")
        );
        assert!(row("a\tvolume\tx\t-\t-\t-\t-\t-\t-\t-").is_err());
        assert!(property("a\tb\tc").is_err());
        assert!(snapshot("tank/i@image\t1").unwrap_err().to_string().ends_with("expected 3 fields, found 2"));
        assert!(snapshot("tank/i@image\tx\t-").is_err());
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
