// SPDX-License-Identifier: GPL-3.0-or-later

//! How volumes beside a guest's own are called and marked: the one that is made ready, and those that are kept. Pure.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ansible_module::moment;

/// What is added to the name of a volume that is made ready to take its place.
pub const STAGED: &str = ".redeploy";

/// What is added to the name of a volume that arrives from another host.
pub const ARRIVING: &str = ".move";

/// What is added to the name of a volume that is kept, before the moment.
const KEPT: &str = ".old-";

/// Attribute of every raw file that was made by this collection.
pub const VOLUME: &str = "volume";

/// User property and attribute of a volume that an exchange has chosen, until its guest has been started.
pub const SWAP: &str = "swap";

/// User property and attribute of the volume of a guest that ran when it was to be stopped for an exchange: since when. It goes with the
/// volume where that is put aside, and ends with the exchange.
pub const RAN: &str = "ran";

/// User property and attribute of a guest's volume and of those that were put aside for it: a number that they share. A volume of
/// another guest that had the same name before has another one, or none.
pub const LINEAGE: &str = "lineage";

/// User property and attribute of a volume that is kept: until when.
pub const KEEP_UNTIL: &str = "keep-until";

/// User property of a snapshot that was taken for a move.
pub const MOVE: &str = "move";

/// User property of a snapshot that was taken to become an image.
pub const CAPTURE: &str = "capture";

/// User property and attribute of a volume that has come from another host: guid of the last snapshot that was sent.
pub const ARRIVED: &str = "arrived";

/// The name of a mark as a ZFS user property.
pub fn property(mark: &str) -> String {
    format!("apiary.bhyve:{mark}")
}

/// The name of a mark as an extended attribute of a file.
pub fn attribute(mark: &str) -> String {
    format!("user.apiary.bhyve.{mark}")
}

/// Seconds for which the mark of an exchange counts at a volume that is in use: whoever has started the guest otherwise has not taken
/// it away, and a call after that is for another exchange.
const COUNTS: u64 = 24 * 3600;

/// The mark of an exchange, in words: how the volume was chosen, and when.
pub fn chosen(way: &str, now: SystemTime) -> String {
    format!("{way} {}", moment::readable(now))
}

/// How a volume was chosen by its mark, and whether that is too long ago to count.
pub fn choice(mark: &str, now: SystemTime) -> (&str, bool) {
    let (way, since) = mark.split_once(' ').unwrap_or((mark, ""));
    (way, is_long_ago(since, now))
}

/// Whether a moment is too long ago to count.
pub fn is_long_ago(since: &str, now: SystemTime) -> bool {
    let first = now.checked_sub(Duration::from_secs(COUNTS)).unwrap_or(UNIX_EPOCH);
    since < moment::readable(first).as_str()
}

/// What a volume is by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<'a> {
    /// A volume of its own.
    Own,
    /// Kept of the volume with this name.
    KeptOf(&'a str),
    /// Made ready for the volume with this name.
    StagedFor(&'a str),
    /// Arriving from another host, to be the volume with this name.
    ArrivingFor(&'a str),
}

/// What a volume of this name is.
pub fn part(name: &str) -> Part<'_> {
    if let Some(of) = name.strip_suffix(STAGED).filter(|of| !of.is_empty()) {
        return Part::StagedFor(of);
    }
    if let Some(of) = name.strip_suffix(ARRIVING).filter(|of| !of.is_empty()) {
        return Part::ArrivingFor(of);
    }
    match name.rsplit_once(KEPT) {
        Some((of, moment)) if !of.is_empty() && is_moment(moment) => Part::KeptOf(of),
        _ => Part::Own,
    }
}

/// Whether `other` is kept of the volume `name`, made ready for it, or on its way to be it or another one of its guest.
pub fn is_beside(other: &str, name: &str) -> bool {
    matches!(part(other), Part::KeptOf(of) | Part::StagedFor(of) if of == name) || arrives_with(other, name)
}

/// Whether `other` is on its way to be the volume `name`, or another one of the same guest, whose volumes all move.
pub fn arrives_with(other: &str, name: &str) -> bool {
    matches!(part(other), Part::ArrivingFor(of) if guest(of) == guest(name))
}

/// The name of the root disk of the guest that a volume belongs to, without the suffix of a raw file.
fn guest(name: &str) -> &str {
    let last = name.rfind('/').map_or(0, |slash| slash + 1);
    match name[last..].find(':') {
        Some(colon) => &name[..last + colon],
        None => name.strip_suffix(".raw").unwrap_or(name),
    }
}

/// The name that keeps a volume.
pub fn kept(name: &str, moment: &str) -> String {
    format!("{name}{KEPT}{moment}")
}

/// Whether this is a moment as names have it, `20261122T181500Z`.
fn is_moment(text: &str) -> bool {
    text.len() == 16
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 => byte == b'T',
            15 => byte == b'Z',
            _ => byte.is_ascii_digit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exchange_is_taken_up_for_a_day() {
        let now = UNIX_EPOCH + Duration::from_secs(1_795_371_300);
        let mark = chosen("new", now);
        assert_eq!(mark, "new 2026-11-22T18:15:00Z");
        assert_eq!(choice(&mark, now + Duration::from_secs(COUNTS)), ("new", false));
        assert_eq!(choice(&mark, now + Duration::from_secs(COUNTS + 1)), ("new", true));
        assert_eq!(choice("back", now), ("back", true));
    }

    #[test]
    fn all_volumes_of_a_guest_arrive_together() {
        for (other, name, expected) in [
            ("web1.move", "web1", true),
            ("t/web1.move", "t/web1:data", true),
            ("/v/web1:data.raw.move", "/v/web1.raw", true),
            ("web1:data.raw.move", "web1:log.raw", true),
            ("t/web10.move", "t/web1", false),
            ("t/web1.redeploy", "t/web1:data", false),
        ] {
            assert_eq!(is_beside(other, name), expected, "{other} {name}");
        }
    }

    #[test]
    fn names_tell_what_a_volume_is() {
        let table = [
            ("web1", Part::Own),
            ("web1.old", Part::Own),
            ("web1.old-20261122T181500Z", Part::KeptOf("web1")),
            ("web1.raw.old-20261122T181500Z", Part::KeptOf("web1.raw")),
            ("web1.old-20261122T181500Z.old-20261123T181500Z", Part::KeptOf("web1.old-20261122T181500Z")),
            ("web1.old-2026112aT181500Z", Part::Own),
            ("web1.old-20261122T181500Zx", Part::Own),
            (".old-20261122T181500Z", Part::Own),
            ("web1.redeploy", Part::StagedFor("web1")),
            (".redeploy", Part::Own),
            ("web1.move", Part::ArrivingFor("web1")),
            ("web1:data.raw.move", Part::ArrivingFor("web1:data.raw")),
            (".move", Part::Own),
            ("web1:data", Part::Own),
        ];
        for (name, expected) in table {
            assert_eq!(part(name), expected, "{name}");
        }
        assert_eq!(part(&kept("web1", "20261122T181500Z")), Part::KeptOf("web1"));
    }
}
