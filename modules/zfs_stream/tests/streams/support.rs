// SPDX-License-Identifier: GPL-3.0-or-later

//! What the tests share: the captured streams with their manifest, and streams built record by record.

use sha2::{Digest, Sha256};
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use zfs_stream::{Fletcher4, HEADER};

pub fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/streams").join(name)
}

pub fn stream(name: &str) -> Vec<u8> {
    std::fs::read(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// One line of `manifest.tsv`.
pub struct Row {
    pub file: String,
    pub volsize: u64,
    pub volblocksize: u32,
    pub bytes: u64,
    pub toguid: u64,
    pub content: String,
}

/// The rows whose stream is one of a volume, with the content that ZFS received.
pub fn manifest() -> Vec<Row> {
    let text = String::from_utf8(stream("manifest.tsv")).unwrap();
    let rows = text.lines().skip(1).map(|line| line.split('\t').collect::<Vec<_>>());
    rows.filter(|row| row[8].len() == 64)
        .map(|row| Row {
            file: row[0].to_owned(),
            volsize: row[2].parse().unwrap(),
            volblocksize: row[3].parse().unwrap(),
            bytes: row[5].parse().unwrap(),
            toguid: row[7].parse().unwrap(),
            content: row[8].to_owned(),
        })
        .collect()
}

pub fn sha256(mut from: impl Read) -> String {
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match from.read(&mut buffer).unwrap() {
            0 => break,
            length => digest.update(&buffer[..length]),
        }
    }
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn sha256_of(file: &File) -> String {
    use std::io::Seek;
    let mut file = file.try_clone().unwrap();
    file.rewind().unwrap();
    sha256(file)
}

pub const MAGIC: u64 = 0x2_F5BA_CBAC;
pub const GUID: u64 = 77;
pub const BLOCK: u64 = 4096;
pub const TAIL: u64 = u64::MAX;

/// A record without its checksum; fields are put at their offsets.
#[derive(Clone)]
pub struct Record {
    pub header: [u8; HEADER],
    pub payload: Vec<u8>,
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{:?} and {} bytes", &self.header[..64], self.payload.len())
    }
}

impl Record {
    pub fn new(kind: u32) -> Record {
        let mut header = [0; HEADER];
        header[..4].copy_from_slice(&kind.to_le_bytes());
        Record { header, payload: Vec::new() }
    }

    pub fn u64(mut self, at: usize, number: u64) -> Record {
        self.header[at..at + 8].copy_from_slice(&number.to_le_bytes());
        self
    }

    pub fn u32(mut self, at: usize, number: u32) -> Record {
        self.header[at..at + 4].copy_from_slice(&number.to_le_bytes());
        self
    }

    pub fn u8(mut self, at: usize, number: u8) -> Record {
        self.header[at] = number;
        self
    }

    pub fn payload(mut self, payload: &[u8]) -> Record {
        self.payload = payload.to_vec();
        self
    }
}

pub fn begin(features: u64, fromguid: u64) -> Record {
    let mut begin = Record::new(0).u64(8, MAGIC).u64(16, 1 | features << 2).u32(32, 3).u32(36, 0xc);
    begin.header[56..64].copy_from_slice(b"tank/v@s");
    begin.u64(40, GUID).u64(48, fromguid)
}

pub fn object(object: u64, object_type: u32, block_size: u32) -> Record {
    Record::new(1).u64(8, object).u32(16, object_type).u32(24, block_size).u8(34, 1).u64(40, GUID)
}

pub fn free_objects(first: u64, count: u64) -> Record {
    Record::new(2).u64(8, first).u64(16, count).u64(24, GUID)
}

pub fn write(object: u64, offset: u64, data: &[u8]) -> Record {
    let object_type = if object == 1 { 23 } else { 24 };
    let write = Record::new(3).u64(8, object).u32(16, object_type).u64(24, offset).u64(32, data.len() as u64);
    write.u64(40, GUID).payload(data)
}

pub fn compressed(offset: u64, size: u64, compression: u8, stored: &[u8]) -> Record {
    let write = write(1, offset, stored).u64(32, size);
    write.u8(50, compression).u64(96, stored.len() as u64)
}

/// An embedded block, stored as zle.
pub fn embedded(object: u64, offset: u64, length: u64, stored: &[u8]) -> Record {
    let embedded = Record::new(8).u64(8, object).u64(16, offset).u64(24, length).u64(32, GUID).u8(40, 14);
    let mut payload = stored.to_vec();
    payload.resize(stored.len().next_multiple_of(8), 0);
    embedded.u32(48, length as u32).u32(52, stored.len() as u32).payload(&payload)
}

/// `length` bytes as zle: two of 7, then zeros.
pub fn zle(length: u64) -> Vec<u8> {
    let mut stored = vec![1, 7, 7];
    let mut zeros = length as usize - 2;
    while zeros > 0 {
        let run = zeros.min(192);
        stored.push((63 + run) as u8);
        zeros -= run;
    }
    stored
}

pub fn free(object: u64, offset: u64, length: u64) -> Record {
    Record::new(4).u64(8, object).u64(16, offset).u64(24, length).u64(32, GUID)
}

pub fn end() -> Record {
    Record::new(5).u64(40, GUID)
}

pub fn size_property(size: u64) -> Record {
    let mut block = vec![0; 512];
    block[..8].copy_from_slice(&0x8000_0000_0000_0003u64.to_le_bytes());
    block[64..72].copy_from_slice(&size.to_le_bytes());
    block[78..82].copy_from_slice(b"size");
    write(2, 0, &block)
}

/// A full stream of two blocks: what the table tests alter.
pub fn small() -> Vec<Record> {
    vec![
        begin(0, 0),
        object(1, 23, BLOCK as u32),
        free(1, 2 * BLOCK, TAIL),
        write(1, 0, &[1; BLOCK as usize]),
        free(1, BLOCK, BLOCK),
        object(2, 24, 512),
        free(2, 512, TAIL),
        size_property(2 * BLOCK),
        free_objects(3, 29),
        end(),
    ]
}

/// Puts the records one after the other, with the checksums they need.
pub fn seal(records: &[Record]) -> Vec<u8> {
    let mut stream = Vec::new();
    let mut sum = Fletcher4::default();
    for (at, record) in records.iter().enumerate() {
        let mut header = record.header;
        match header[0] {
            0 if at == 0 => {
                header[4..8].copy_from_slice(&(record.payload.len() as u32).to_le_bytes());
                sum.update(&header);
            }
            kind => {
                if kind == 5 {
                    header[8..40].copy_from_slice(&sum.to_bytes());
                }
                sum.update(&header[..280]);
                header[280..].copy_from_slice(&sum.to_bytes());
                sum.update(&header[280..]);
            }
        }
        sum.update(&record.payload);
        stream.extend_from_slice(&header);
        stream.extend_from_slice(&record.payload);
    }
    stream
}
