// SPDX-License-Identifier: GPL-3.0-or-later

//! Feeds verified records to `zfs receive`, and lets it commit only when everything has been judged.

use std::io::{self, Read};

use anyhow::{Context, Result, bail, ensure};

use zfs_command::{Receive, Zfs, judge};
use zfs_stream::{Event, Reader, Summary};

use super::feed::Feed;

use ansible_module::Running;

/// Where a stream goes.
pub struct Destination<'a> {
    /// The command.
    pub zfs: &'a Zfs,
    /// Unfinished name of the volume.
    pub dataset: &'a str,
    /// What comes after the `@` in the name of its snapshot.
    pub snapshot: &'a str,
    /// The snapshot an incremental stream applies to.
    pub origin: Option<&'a str>,
    /// Properties set before the data arrive.
    pub properties: &'a [(String, String)],
}

/// Receives a whole stream, or every stream of a package; the last snapshot has the wanted name then, and is the only one of them.
///
/// `judge` looks at everything else there is to say about the source, and about the volume, while ZFS can still be stopped.
///
/// # Errors
/// What is wrong with the stream comes first: ZFS is then killed and discards what it has. Otherwise ZFS's own words.
pub fn receive<R: Read>(
    reader: Reader<R>,
    feed: &mut dyn Feed,
    destination: &Destination,
    judge: impl FnOnce(&Summary, R) -> Result<()>,
) -> Result<Summary> {
    let mut running = None;
    let received = receive_all(reader, feed, destination, judge, &mut running);
    if received.is_err()
        && let Some(running) = &mut running
    {
        // While it waits for more, Linux's ZFS has been seen not to hear of that before it read an end, which it does not commit on.
        running.strike();
        feed.abandon();
    }
    received
}

fn receive_all<R: Read>(
    mut reader: Reader<R>,
    feed: &mut dyn Feed,
    destination: &Destination,
    judge: impl FnOnce(&Summary, R) -> Result<()>,
    running: &mut Option<Running>,
) -> Result<Summary> {
    let mut segments = 0;
    while let Some(step) = reader.step()? {
        match step.event {
            Event::Begin => {
                if let Some(done) = running.take() {
                    commit(done, feed)?;
                }
                *running = Some(begin(segments, feed, destination)?);
                segments += 1;
                told(feed.pass(step.raw), running, feed)?;
            }
            Event::End { .. } => feed.hold(step.raw),
            Event::EndOfPackage => feed.skip(step.raw.len()),
            Event::Other if running.is_none() => feed.skip(step.raw.len()),
            Event::Write { .. } | Event::Free { .. } | Event::Other => {
                told(feed.pass(step.raw), running, feed)?
            }
        }
    }
    let (summary, source) = reader.finish()?;
    judge(&summary, source)?;
    commit(running.take().context("the stream holds no volume")?, feed)?;
    leave_one(segments, destination)?;
    Ok(summary)
}

fn snapshot(segment: u32, destination: &Destination) -> String {
    match segment {
        0 => format!("{}@{}", destination.dataset, destination.snapshot),
        more => format!("{}@{}-{more}", destination.dataset, destination.snapshot),
    }
}

fn begin(segment: u32, feed: &mut dyn Feed, destination: &Destination) -> Result<Running> {
    let first = segment == 0;
    let target = snapshot(segment, destination);
    let wanted = Receive {
        target: &target,
        origin: destination.origin.filter(|_| first),
        properties: if first { destination.properties } else { &[] },
    };
    let stdin = feed.start().context("opening a way to zfs receive")?;
    destination.zfs.receive(&wanted, stdin)
}

/// Lets ZFS commit the stream it has, and waits until it has.
fn commit(running: Running, feed: &mut dyn Feed) -> Result<()> {
    let end = feed.end();
    judge(running.finish()?)?;
    // It has all it wanted, so this would be a failure of our own.
    end.context("passing the end of the stream to zfs receive")
}

/// A feed breaks when ZFS has ended: then its own words count.
fn told(fed: io::Result<()>, running: &mut Option<Running>, feed: &mut dyn Feed) -> Result<()> {
    let Err(error) = fed else { return Ok(()) };
    feed.abandon();
    if let Some(running) = running.take() {
        let finished = judge(running.finish()?)?;
        bail!("`{}` ended before the stream did ({error})", finished.cmd);
    }
    Err(error).context("passing records to zfs receive")
}

/// Of a chain of snapshots only the last one is the image.
fn leave_one(segments: u32, destination: &Destination) -> Result<()> {
    for segment in 0..segments.saturating_sub(1) {
        destination.zfs.destroy(&snapshot(segment, destination))?;
    }
    match segments {
        0 | 1 => Ok(()),
        many => destination.zfs.rename(&snapshot(many - 1, destination), &snapshot(0, destination)),
    }
}

/// Compares what ZFS has made with what the stream said.
///
/// # Errors
/// Where it is anything else: the volume must not get its name then.
pub fn check(summary: &Summary, destination: &Destination) -> Result<()> {
    let rows = destination.zfs.list(&[destination.dataset], 1)?;
    let name = snapshot(0, destination);
    let snapshot = rows.iter().find(|row| row.name == name);
    let volume = rows.iter().find(|row| row.name == destination.dataset);
    let found = (
        snapshot.map(|row| row.guid.0),
        volume.and_then(|row| row.volsize),
        volume.and_then(|row| row.volblocksize),
    );
    let expected = (Some(summary.toguid), summary.volsize, summary.volblocksize.map(u64::from));
    ensure!(
        found == expected,
        "zfs receive made {name} with (guid, volsize, volblocksize) {found:?}, expected {expected:?}"
    );
    Ok(())
}
