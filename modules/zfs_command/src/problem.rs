// SPDX-License-Identifier: GPL-3.0-or-later

//! What `zfs` means by its words: known phrases of its stderr, each with what to do about it.

use std::fmt;

use ansible_module::{CommandFailed, Finished};
use anyhow::Result;

/// Why a `zfs` command failed, where its words are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// Something of that name is there.
    Exists,
    /// Nothing of that name is there.
    Missing,
    /// The pool is full, or what is left of it is reserved.
    OutOfSpace,
    /// A quota above the dataset is used up.
    QuotaExceeded,
    /// Somebody has the device open, or another command works on the dataset.
    Busy,
    /// The user may not do this.
    PermissionDenied,
    /// The pool was imported read-only.
    PoolReadOnly,
    /// Clones depend on a snapshot.
    HasClones,
    /// Snapshots are held by `zfs hold`.
    Held,
    /// The stream's bytes are not what was sent.
    ChecksumMismatch,
    /// The stream ended before its END record.
    Incomplete,
    /// ZFS cannot read this stream at all.
    InvalidStream,
    /// The stream uses something this pool does not have.
    Unsupported,
    /// A property or its value is none.
    BadProperty,
    /// The kernel has no ZFS.
    NoZfs,
}

/// Phrases as printed by OpenZFS 2.3.2 and 2.3.9 on Linux, in the order in which they are looked for: the first one found counts.
const PHRASES: [(&str, Problem); 26] = [
    ("ZFS modules cannot be auto-loaded", Problem::NoZfs),
    ("ZFS modules are not loaded", Problem::NoZfs),
    ("Unable to open /dev/zfs", Problem::NoZfs),
    ("failed to initialize ZFS library", Problem::NoZfs),
    ("pool is read-only", Problem::PoolReadOnly),
    ("permission denied", Problem::PermissionDenied),
    ("Permission denied", Problem::PermissionDenied),
    ("insufficient privileges", Problem::PermissionDenied),
    ("quota exceeded", Problem::QuotaExceeded),
    ("out of space", Problem::OutOfSpace),
    ("No space left on device", Problem::OutOfSpace),
    ("size is greater than available space", Problem::OutOfSpace),
    ("dataset does not exist", Problem::Missing),
    ("could not find any snapshots to destroy", Problem::Missing),
    ("dependent clones", Problem::HasClones),
    ("it's being held", Problem::Held),
    ("dataset is busy", Problem::Busy),
    ("target is busy", Problem::Busy),
    ("already exists", Problem::Exists),
    ("must specify -F to overwrite it", Problem::Exists),
    ("checksum mismatch", Problem::ChecksumMismatch),
    ("incomplete stream", Problem::Incomplete),
    ("failed to read from stream", Problem::Incomplete),
    ("invalid stream", Problem::InvalidStream),
    ("invalid property", Problem::BadProperty),
    ("unsupported", Problem::Unsupported),
];

impl Problem {
    /// The problem that `stderr` names.
    pub fn of(stderr: &str) -> Option<Problem> {
        PHRASES.iter().find(|(phrase, _)| stderr.contains(phrase)).map(|(_, problem)| *problem)
    }

    /// What it is and what to do, in words that follow "receiving stream into tank/x: ".
    fn advice(self) -> &'static str {
        match self {
            Problem::Exists => {
                "a dataset of this name is there already; another program made it meanwhile, run this again"
            }
            Problem::Missing => {
                "the dataset or the one above it does not exist; check the name, or create it with `zfs create`"
            }
            Problem::OutOfSpace => "the pool has not enough space; free some, or lower its reservations",
            Problem::QuotaExceeded => "a quota is exceeded; raise it or choose another place",
            Problem::Busy => "the dataset is in use; stop the guest or the other command that uses it",
            Problem::PermissionDenied => {
                "this user may not do it; become root, or have it allowed: zfs allow -u USER \
                 clone,create,destroy,mount,receive,refreservation,rename,userprop,volmode,volsize DATASET"
            }
            Problem::PoolReadOnly => "the pool is imported read-only; import it for writing",
            Problem::HasClones => "clones depend on it; remove them first",
            Problem::Held => "a snapshot is held; see `zfs holds`, and `zfs release` it first",
            Problem::ChecksumMismatch => "ZFS found a damaged stream; fetch the image again",
            Problem::Incomplete => "ZFS found the stream incomplete; fetch the image again",
            Problem::InvalidStream => "ZFS does not accept this stream; make it anew with `zfs send`",
            Problem::Unsupported => {
                "this ZFS or pool lacks a feature that was asked for; upgrade it, or send without"
            }
            Problem::BadProperty => "ZFS does not know this property or value; see zfsprops(7)",
            Problem::NoZfs => {
                "this host's kernel has no ZFS; load it (`kldload zfs`, `modprobe zfs`), or give a path instead of a dataset"
            }
        }
    }
}

/// A `zfs` command that failed for a known reason. The command and its own words are the source of this error.
#[derive(Debug)]
pub struct ZfsFailed {
    /// Why zfs refused, as far as that is known.
    pub problem: Problem,
    failed: CommandFailed,
}

impl ZfsFailed {
    /// The failure with its reason, or as it is where the words are not known.
    pub fn explain(failed: CommandFailed) -> anyhow::Error {
        match Problem::of(&failed.stderr) {
            Some(problem) => ZfsFailed { problem, failed }.into(),
            None => failed.into(),
        }
    }
}

impl fmt::Display for ZfsFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.problem.advice())
    }
}

impl std::error::Error for ZfsFailed {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.failed)
    }
}

/// Judges a command that has ended.
///
/// # Errors
/// Its own words where it failed, with the reason before them where they are known.
pub fn judge(finished: Finished) -> Result<Finished> {
    if finished.status.success() { Ok(finished) } else { Err(ZfsFailed::explain(finished.failure())) }
}

/// The known reason in the chain of `error`.
pub fn problem_of(error: &anyhow::Error) -> Option<Problem> {
    error.chain().find_map(|cause| cause.downcast_ref::<ZfsFailed>()).map(|failed| failed.problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// stderr of OpenZFS 2.3.9 (those marked *: 2.3.2) on Linux, each with the command that printed it.
    const SEEN: [(&str, &str, Option<Problem>); 22] = [
        (
            "zfs receive tank/r/cut@x < first-20000-bytes",
            "cannot receive new filesystem stream: incomplete stream\n",
            Some(Problem::Incomplete),
        ),
        (
            "zfs receive tank/r/flip@x < bit-flipped",
            "cannot receive new filesystem stream: checksum mismatch\n",
            Some(Problem::ChecksumMismatch),
        ),
        (
            "zfs receive tank/r/magic@x < bad-magic",
            "cannot receive: invalid stream (bad magic number)\n",
            Some(Problem::InvalidStream),
        ),
        (
            "zfs receive tank/r/e@x < /dev/null",
            "cannot receive: failed to read from stream\n",
            Some(Problem::Incomplete),
        ),
        (
            "zfs receive tank/r/ok@x < full",
            "cannot receive new filesystem stream: destination 'tank/r/ok' exists\nmust specify -F to overwrite it\n",
            Some(Problem::Exists),
        ),
        (
            "zfs receive tank/nosuchparent/x@x < full",
            "cannot open 'tank/nosuchparent': dataset does not exist\n\
             cannot receive new filesystem stream: unable to restore to destination\n",
            Some(Problem::Missing),
        ),
        (
            "zfs receive tank/r/full@x < full",
            "cannot receive new filesystem stream: out of space\n",
            Some(Problem::OutOfSpace),
        ),
        (
            "zfs receive small/q/vol@x < full",
            "cannot receive new filesystem stream: destination small/q/vol space quota exceeded.\n",
            Some(Problem::QuotaExceeded),
        ),
        (
            "zfs receive ro/x@x < full",
            "cannot receive new filesystem stream: pool is read-only\n",
            Some(Problem::PoolReadOnly),
        ),
        (
            "zfs receive tank/r/x@x < full (uid 1000)",
            "cannot receive new filesystem stream: permission denied\n",
            Some(Problem::PermissionDenied),
        ),
        ("zfs receive tank/r/%@x < full", "cannot receive: invalid backup stream\n", None),
        (
            "zfs destroy tank/r/ok (device open)",
            "cannot destroy 'tank/r/ok': dataset is busy\n",
            Some(Problem::Busy),
        ),
        (
            "zfs send -i @a tank/v (device open) *",
            "warning: cannot send 'tank/v': target is busy; if a filesystem, it must not be mounted\n",
            Some(Problem::Busy),
        ),
        (
            "zfs destroy tank/i@image",
            "cannot destroy 'tank/i@image': snapshot has dependent clones\n\
             use '-R' to destroy the following datasets:\ntank/vm/web1\n",
            Some(Problem::HasClones),
        ),
        (
            "zfs destroy -r tank/i (with a clone)",
            "cannot destroy 'tank/i': filesystem has dependent clones\nuse '-R' to destroy the following datasets:\ntank/c\n",
            Some(Problem::HasClones),
        ),
        (
            "zfs destroy tank/nosuch",
            "cannot open 'tank/nosuch': dataset does not exist\n",
            Some(Problem::Missing),
        ),
        (
            "zfs destroy tank/b@nosuch *",
            "could not find any snapshots to destroy; check snapshot names.\n",
            Some(Problem::Missing),
        ),
        (
            "zfs clone a@x tank/there",
            "cannot create 'tank/there': dataset already exists\n",
            Some(Problem::Exists),
        ),
        (
            "zfs set volsize=16385K tank/x",
            "cannot set property for 'tank/x': 'volsize' must be a multiple of volume block size (16K)\n",
            None,
        ),
        (
            "zfs set nosuch=1 tank/x",
            "cannot set property for 'tank/x': invalid property 'nosuch'\n",
            Some(Problem::BadProperty),
        ),
        ("zfs list (no module)", "The ZFS modules cannot be auto-loaded.\n", Some(Problem::NoZfs)),
        ("zfs receive tank/r/pct@x < x", "cannot receive: invalid name\n", None),
    ];

    #[test]
    fn words_of_zfs_are_understood() {
        for (command, stderr, problem) in SEEN {
            assert_eq!(Problem::of(stderr), problem, "{command}");
        }
    }

    #[test]
    fn the_users_line_has_advice_and_zfs_own_words() {
        let failed = CommandFailed {
            cmd: "/sbin/zfs receive tank/x@image".to_owned(),
            rc: 1,
            stderr: "cannot receive new filesystem stream: out of space\n".to_owned(),
        };
        let error = ZfsFailed::explain(failed).context("receiving image demo into tank/x");
        assert_eq!(
            format!("{error:#}"),
            "receiving image demo into tank/x: the pool has not enough space; free some, or lower its reservations: \
             `/sbin/zfs receive tank/x@image` exited with 1: cannot receive new filesystem stream: out of space"
        );
        assert_eq!(problem_of(&error), Some(Problem::OutOfSpace));
    }
}
