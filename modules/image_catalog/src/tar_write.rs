// SPDX-License-Identifier: GPL-3.0-or-later

//! Members of tar archives as pkg writes them: plain ustar headers, with an extended one only for what does not
//! fit. The tar crate's builder refuses the absolute names that pkg expects.

use std::io::{self, Write};

use tar::{EntryType, Header};

const BLOCK: u64 = 512;
/// What fits into a ustar header.
const NAME_SIZE: usize = 100;
const SIZE_LIMIT: u64 = 1 << 33;

/// A regular file of an archive.
pub(crate) struct Entry<'a> {
    pub(crate) path: &'a str,
    pub(crate) size: u64,
    /// Seconds since 1970.
    pub(crate) mtime: u64,
}

pub(crate) fn write_header(sink: &mut impl Write, entry: &Entry<'_>) -> io::Result<()> {
    let mut records = String::new();
    if entry.path.len() > NAME_SIZE {
        records.push_str(&record("path", entry.path));
    }
    if entry.size >= SIZE_LIMIT {
        records.push_str(&record("size", &entry.size.to_string()));
    }
    if !records.is_empty() {
        let size = records.len() as u64;
        sink.write_all(header(&Entry { path: "PaxHeader", size, mtime: 0 }, EntryType::XHeader).as_bytes())?;
        sink.write_all(records.as_bytes())?;
        write_padding(sink, size)?;
    }
    sink.write_all(header(entry, EntryType::Regular).as_bytes())
}

pub(crate) fn write_padding(sink: &mut impl Write, size: u64) -> io::Result<()> {
    let padding = (BLOCK - size % BLOCK) % BLOCK;
    sink.write_all(&[0; BLOCK as usize][..padding as usize])
}

pub(crate) fn write_end(sink: &mut impl Write) -> io::Result<()> {
    sink.write_all(&[0; 2 * BLOCK as usize])
}

fn header(entry: &Entry<'_>, kind: EntryType) -> Header {
    let mut header = Header::new_ustar();
    header.set_entry_type(kind);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(entry.mtime);
    header.set_size(entry.size);
    let name = &entry.path.as_bytes()[..entry.path.len().min(NAME_SIZE)];
    if let Some(ustar) = header.as_ustar_mut() {
        ustar.name[..name.len()].copy_from_slice(name);
        ustar.uname[..4].copy_from_slice(b"root");
        ustar.gname[..5].copy_from_slice(b"wheel");
    }
    header.set_cksum();
    header
}

/// `LENGTH KEY=VALUE\n`, where the length counts its own digits.
fn record(key: &str, value: &str) -> String {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while length.to_string().len() + rest != length {
        length = length.to_string().len() + rest;
    }
    format!("{length} {key}={value}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::members::Members;

    #[test]
    fn a_record_counts_itself() {
        assert_eq!(record("size", "1"), "9 size=1\n");
        assert_eq!(record("path", "abc"), "12 path=abc\n");
        let long = record("path", &"x".repeat(90));
        assert_eq!((long.len(), &long[..4]), (99, "99 p"));
        let longer = record("path", &"x".repeat(91));
        assert_eq!((longer.len(), &longer[..4]), (101, "101 "));
    }

    #[test]
    fn sizes_beyond_a_plain_header_are_read_again() {
        for size in [(1 << 33) - 1, 1 << 33, 20 << 40] {
            let mut bytes = Vec::new();
            write_header(&mut bytes, &Entry { path: "/bhyve/images/x.zfs", size, mtime: 0 }).unwrap();
            assert_eq!(bytes.len(), if size < SIZE_LIMIT { 512 } else { 3 * 512 });
            assert_eq!(Members::new(&bytes[..]).next().unwrap().unwrap().size, size);
        }
    }
}
