// SPDX-License-Identifier: GPL-3.0-or-later

//! What stands at the beginning of a raw disk: partition tables that speak of more than there is, and disks in which nothing is
//! known.

use std::fs::File;

use anyhow::{Context, Result};

use crate::contents::Glimpse;

/// Bytes of a sector, on disks of today and on those with large ones.
const SECTORS: [usize; 2] = [512, 4096];
/// A partition that stands for a GPT.
const PROTECTIVE: u8 = 0xee;

/// File systems and the like that need no partition table, by what stands where.
const KNOWN: [(usize, &[u8]); 24] = [
    (1080, b"\x53\xef"),
    (0, b"XFSB"),
    (65600, b"_BHRfS_M"),
    (66908, b"\x19\x01\x54\x19"),
    (66908, b"\x19\x54\x01\x19"),
    (9564, b"\x54\x19\x01\x00"),
    (9564, b"\x00\x01\x19\x54"),
    (135168, b"\x0c\xb1\xba\x00"),
    (4086, b"SWAPSPACE2"),
    (512, b"LABELONE"),
    (536, b"LVM2 001"),
    (0, b"hsqs"),
    (512, b"\x57\x45\x56\x82"),
    (508, b"\xda\xbe"),
    (512, b"PM\0\0"),
    (32768, b"JFS1"),
    (65588, b"ReIsEr"),
    (1024, b"\x10\x20\xf5\xf2"),
    (1024, b"\xe2\xe1\xf5\xe0"),
    (32, b"NXSB"),
    (1024, b"H+"),
    (1024, b"HX"),
    (3, b"NTFS    "),
    (3, b"EXFAT   "),
];

/// What a publisher should know of a raw disk.
pub fn remarks(disk: &File, called: &str) -> Result<Vec<String>> {
    let glimpse = Glimpse::of(disk).with_context(|| format!("reading {called}"))?;
    // A device says elsewhere how large it is.
    if glimpse.size == 0 && !disk.metadata().is_ok_and(|found| found.is_file()) {
        return Ok(Vec::new());
    }
    Ok(judge(&glimpse, called).into_iter().collect())
}

fn judge(Glimpse { head, size, .. }: &Glimpse, called: &str) -> Option<String> {
    let spoken_of = gpt_end(head).or_else(|| mbr_end(head));
    if let Some(end) = spoken_of.filter(|end| end > size) {
        return Some(format!(
            "the partition table of {called} speaks of a disk of {end} bytes, and it has {size}: it was cut short, or its last \
             partitions are missing"
        ));
    }
    (spoken_of.is_none() && !is_bootable(head) && !is_known(head)).then(|| {
        format!(
            "nothing in {called} is known, neither a boot signature nor partitions nor a file system: is it a disk at all?"
        )
    })
}

/// Where the disk ends that a GPT was made for: behind its copy in the last sector.
fn gpt_end(head: &[u8]) -> Option<u64> {
    let table = |sector: &usize| head.get(*sector..sector + 92).filter(|it| it.starts_with(b"EFI PART"));
    let (sector, table) = SECTORS.iter().find_map(|sector| Some((*sector, table(sector)?)))?;
    let copy = u64::from_le_bytes(table.get(32..40)?.try_into().ok()?);
    let last_usable = u64::from_le_bytes(table.get(48..56)?.try_into().ok()?);
    Some(copy.max(last_usable).saturating_add(1).saturating_mul(sector as u64))
}

/// Where the last partition of an MBR ends, if it has one; sectors have 512 bytes there.
fn mbr_end(head: &[u8]) -> Option<u64> {
    if !is_bootable(head) || is_boot_sector(head) {
        return None;
    }
    let number = |entry: &[u8], place: usize| -> Option<u64> {
        Some(u32::from_le_bytes(entry.get(place..place + 4)?.try_into().ok()?).into())
    };
    let entries: Vec<_> = head.get(446..510)?.chunks_exact(16).collect();
    // Anything else than these two is the code of a boot sector.
    if entries.iter().any(|entry| !matches!(entry[0], 0 | 0x80)) {
        return None;
    }
    let used = entries.iter().filter(|entry| entry[4] != 0 && entry[4] != PROTECTIVE);
    used.filter_map(|entry| Some((number(entry, 8)? + number(entry, 12)?) * 512)).max()
}

fn is_bootable(head: &[u8]) -> bool {
    head.get(510..512) == Some(&[0x55, 0xaa])
}

/// The first sector of a file system of its own looks like that of a disk, without the table.
fn is_boot_sector(head: &[u8]) -> bool {
    let at = |place: usize, magic: &[u8]| head.get(place..place + magic.len()) == Some(magic);
    at(54, b"FAT") || at(82, b"FAT32") || at(3, b"NTFS") || at(3, b"EXFAT")
}

fn is_known(head: &[u8]) -> bool {
    KNOWN.iter().any(|(place, magic)| head.get(*place..).is_some_and(|it| it.starts_with(magic)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::FileExt;

    fn remark(bytes: &[(u64, &[u8])], size: u64) -> Option<String> {
        let file = tempfile::tempfile().unwrap();
        bytes.iter().for_each(|(place, bytes)| file.write_all_at(bytes, *place).unwrap());
        file.set_len(size).unwrap();
        remarks(&file, "x").unwrap().pop()
    }

    fn mbr(kind: u8, start: u32, length: u32) -> Vec<u8> {
        let mut sector = vec![0; 512];
        sector[450] = kind;
        sector[454..458].copy_from_slice(&start.to_le_bytes());
        sector[458..462].copy_from_slice(&length.to_le_bytes());
        sector[510..].copy_from_slice(&[0x55, 0xaa]);
        sector
    }

    fn gpt(copy: u64) -> Vec<u8> {
        let mut table = vec![0; 92];
        table[..8].copy_from_slice(b"EFI PART");
        table[32..40].copy_from_slice(&copy.to_le_bytes());
        table
    }

    #[test]
    fn tables_that_speak_of_more_are_told() {
        let larger = |end: u64, size: u64| {
            Some(format!(
                "the partition table of x speaks of a disk of {end} bytes, and it has {size}: it was cut short, or its last \
                 partitions are missing"
            ))
        };
        let (protective, table) = (mbr(PROTECTIVE, 1, u32::MAX), gpt(2047));
        for sector in [512, 4096] {
            let parts = [(0, &protective[..]), (sector, &table[..])];
            assert_eq!(remark(&parts, 2048 * sector), None);
            assert_eq!(remark(&parts, 2048 * sector - 512), larger(2048 * sector, 2048 * sector - 512));
        }
        assert_eq!(remark(&[(0, &mbr(0x83, 2048, 4096))], 6144 * 512), None);
        assert_eq!(remark(&[(0, &mbr(0x83, 2048, 4096))], 6143 * 512), larger(6144 * 512, 6143 * 512));
        assert_eq!(
            remark(&[(0, &mbr(0xa5, u32::MAX, u32::MAX))], 1 << 20),
            larger(2 * 512 * u64::from(u32::MAX), 1 << 20)
        );
    }

    #[test]
    fn disks_in_which_nothing_is_known_are_told() {
        let nothing = Some(
            "nothing in x is known, neither a boot signature nor partitions nor a file system: is it a disk at all?".to_owned(),
        );
        assert_eq!(remark(&[], 1 << 20), nothing);
        assert_eq!(remark(&[(0, b"some text")], 9), nothing);
        assert_eq!(remark(&[(1080, b"\x53\xef")], 1 << 20), None);
        assert_eq!(remark(&[(510, b"\x55\xaa")], 1 << 20), None);
    }
}
