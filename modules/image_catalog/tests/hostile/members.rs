// SPDX-License-Identifier: GPL-3.0-or-later

//! Archives made member by member, as no archiver would make them.

use tar::{EntryType, Header};

pub fn member(path: &str, content: &[u8]) -> Vec<u8> {
    member_of(EntryType::Regular, path, content)
}

pub fn member_of(kind: EntryType, path: &str, content: &[u8]) -> Vec<u8> {
    member_claiming(kind, path, content, content.len() as u64)
}

pub fn member_claiming(kind: EntryType, path: &str, content: &[u8], size: u64) -> Vec<u8> {
    let mut header = Header::new_ustar();
    header.as_ustar_mut().unwrap().name[..path.len()].copy_from_slice(path.as_bytes());
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(0o644);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    header.set_cksum();
    let padding = vec![0; (512 - content.len() % 512) % 512];
    [header.as_bytes(), content, &padding].concat()
}

pub fn pax(records: &[(&str, &str)]) -> Vec<u8> {
    let record = |(key, value): &(&str, &str)| {
        let rest = key.len() + value.len() + 3;
        let length = (rest + 1..).find(|length| length.to_string().len() + rest == *length).unwrap();
        format!("{length} {key}={value}\n")
    };
    let content: String = records.iter().map(record).collect();
    member_of(EntryType::XHeader, "pax", content.as_bytes())
}

pub fn end() -> Vec<u8> {
    vec![0; 1024]
}
