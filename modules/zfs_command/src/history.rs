// SPDX-License-Identifier: GPL-3.0-or-later

//! Volumes and their snapshots in time, as zfs(8) prints them for programs.

use anyhow::{Context, Result, bail};

use crate::row::{Kind, list};

/// The columns of a [`Point`] but for the last one, a user property.
pub const HISTORY_COLUMNS: &str = "name,type,createtxg,creation,used,written,userrefs,clones";

/// A dataset or a snapshot: one line of `zfs list`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Point {
    /// Full name.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// The transaction it was made in: what is newer has a higher one, whatever the clock said.
    pub transaction: u64,
    /// When it was made, in seconds since 1970; a snapshot keeps it over send and receive.
    pub created: u64,
    /// Bytes that would be free without it.
    pub used: u64,
    /// Bytes written since the snapshot before.
    pub written: u64,
    /// Number of holds on a snapshot.
    pub holds: u64,
    /// Datasets that are clones of a snapshot.
    pub clones: Vec<String>,
    /// Value of the user property that was asked for, its own or inherited.
    pub mark: Option<String>,
}

/// Reads a line of `zfs list -Hp` with all columns of a [`Point`].
pub fn point(line: &str) -> Result<Point> {
    let doing = || format!("reading the line {line:?} of `zfs list -Hp -o {HISTORY_COLUMNS},MARK`");
    // Only the last one may hold tabs.
    let fields: Vec<&str> = line.splitn(9, '\t').collect();
    let [name, kind, transaction, created, used, written, holds, clones, mark] = fields[..] else {
        bail!("{}: expected 9 fields, found {}", doing(), fields.len());
    };
    let number = |text: &str| text.parse::<u64>().with_context(doing);
    Ok(Point {
        name: name.to_owned(),
        kind: Kind::of(kind).with_context(doing)?,
        transaction: number(transaction)?,
        created: number(created)?,
        used: number(used)?,
        written: number(written)?,
        holds: if holds == "-" { 0 } else { number(holds)? },
        clones: list(clones),
        mark: (mark != "-").then(|| mark.to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read() {
        let volume = point("tank/a\tvolume\t31\t1764340000\t8192\t0\t-\t-\t-").unwrap();
        assert_eq!((volume.kind, volume.transaction, volume.written), (Kind::Volume, 31, 0));
        assert_eq!((volume.holds, volume.mark), (0, None));
        let held = point("tank/a@x\tsnapshot\t40\t1764340001\t0\t4096\t2\ttank/b,tank/c\ta\tb").unwrap();
        assert_eq!((held.holds, held.clones.len(), held.mark.as_deref()), (2, 2, Some("a\tb")));
    }

    #[test]
    fn lines_that_are_none_are_not_dropped() {
        let error = |line: &str| point(line).unwrap_err().root_cause().to_string();
        assert!(error("tank/a\tvolume").ends_with("expected 9 fields, found 2"));
        assert_eq!(error("a\tpool\t1\t1\t1\t1\t-\t-\t-"), "unknown type \"pool\"");
        point("a\tvolume\t1\t1\t1\t-\t-\t-\t-").unwrap_err();
    }
}
