// SPDX-License-Identifier: GPL-3.0-or-later

//! Files with holes: where their data are, making holes, copying them, and telling zeros.

use nix::errno::Errno;
use nix::fcntl::copy_file_range;
use nix::unistd::{Whence, lseek};
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;

const CHUNK: usize = 1 << 20;

/// Whether all bytes are zero.
pub(crate) fn is_zero(bytes: &[u8]) -> bool {
    let (chunks, rest) = bytes.as_chunks::<64>();
    chunks.iter().all(|chunk| chunk.iter().fold(0, |any, byte| any | byte) == 0)
        && rest.iter().all(|byte| *byte == 0)
}

/// The next range from `offset` that may hold data in a file of `size` bytes; the whole rest where the file system keeps no such record.
pub(crate) fn next_data(file: &File, offset: u64, size: u64) -> io::Result<Option<Range<u64>>> {
    if offset >= size {
        return Ok(None);
    }
    match seek(file, offset, Whence::SeekData) {
        Ok(start) if start >= size => Ok(None),
        Ok(start) => Ok(Some(start..seek(file, start, Whence::SeekHole)?.min(size))),
        Err(Errno::ENXIO) => Ok(None),
        Err(Errno::EINVAL | Errno::ENOTTY | Errno::EOPNOTSUPP) => Ok(Some(offset..size)),
        Err(errno) => Err(errno.into()),
    }
}

/// Size in bytes of a file or a disk device.
pub(crate) fn size(file: &File) -> io::Result<u64> {
    Ok(seek(file, 0, Whence::SeekEnd)?)
}

fn seek(file: &File, offset: u64, whence: Whence) -> nix::Result<u64> {
    let offset = i64::try_from(offset).map_err(|_| Errno::EOVERFLOW)?;
    lseek(file, offset, whence).map(|position| position.unsigned_abs())
}

/// Makes a range of a file read as zeros, without changing the file's size: a hole where the file system can make one.
pub(crate) fn clear(file: &File, range: Range<u64>) -> io::Result<()> {
    if range.is_empty() {
        return Ok(());
    }
    match punch(file, &range) {
        Ok(()) => Ok(()),
        Err(Errno::EOPNOTSUPP | Errno::ENOSYS | Errno::EINVAL | Errno::ENODEV) => write_zeros(file, range),
        Err(errno) => Err(errno.into()),
    }
}

#[cfg(target_os = "linux")]
fn punch(file: &File, range: &Range<u64>) -> nix::Result<()> {
    use nix::fcntl::{FallocateFlags, fallocate};
    let (offset, length) = (off_t(range.start)?, off_t(range.end - range.start)?);
    fallocate(
        file,
        FallocateFlags::FALLOC_FL_PUNCH_HOLE | FallocateFlags::FALLOC_FL_KEEP_SIZE,
        offset,
        length,
    )
}

#[cfg(target_os = "freebsd")]
fn punch(file: &File, range: &Range<u64>) -> nix::Result<()> {
    nix::fcntl::fspacectl_all(file, off_t(range.start)?, off_t(range.end - range.start)?)
}

fn off_t(number: u64) -> nix::Result<i64> {
    i64::try_from(number).map_err(|_| Errno::EOVERFLOW)
}

fn write_zeros(file: &File, range: Range<u64>) -> io::Result<()> {
    let zeros = vec![0; CHUNK.min((range.end - range.start) as usize)];
    let mut offset = range.start;
    while offset < range.end {
        let length = zeros.len().min((range.end - offset) as usize);
        file.write_all_at(&zeros[..length], offset)?;
        offset += length as u64;
    }
    Ok(())
}

/// Copies the data of `from` into the empty file `to`, leaving holes as holes; the file system shares the blocks where it can.
///
/// # Errors
/// Those of reading and writing; `to` is then unfinished.
pub fn copy(from: &File, to: &File) -> io::Result<()> {
    let size = size(from)?;
    to.set_len(size)?;
    let mut offset = 0;
    while let Some(data) = next_data(from, offset, size)? {
        copy_range(from, to, data.clone())?;
        offset = data.end;
    }
    Ok(())
}

fn copy_range(from: &File, to: &File, range: Range<u64>) -> io::Result<()> {
    let (mut source, mut target) = (off_t(range.start)?, off_t(range.start)?);
    let end = off_t(range.end)?;
    while source < end {
        let left = (end - source) as usize;
        match copy_file_range(from, Some(&mut source), to, Some(&mut target), left) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(_) | Err(Errno::EINTR) => {}
            Err(Errno::ENOSYS | Errno::EXDEV | Errno::EINVAL | Errno::EOPNOTSUPP) => {
                return copy_through_memory(from, to, source.unsigned_abs()..range.end);
            }
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}

fn copy_through_memory(from: &File, to: &File, range: Range<u64>) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK];
    let mut offset = range.start;
    while offset < range.end {
        let length = chunk.len().min((range.end - offset) as usize);
        from.read_exact_at(&mut chunk[..length], offset)?;
        to.write_all_at(&chunk[..length], offset)?;
        offset += length as u64;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    fn holey() -> File {
        let file = tempfile::tempfile().unwrap();
        file.set_len(8 << 20).unwrap();
        file.write_all_at(&[1; 4096], 1 << 20).unwrap();
        file.write_all_at(&[2; 100], (8 << 20) - 100).unwrap();
        file
    }

    fn read(file: &File) -> Vec<u8> {
        let mut bytes = vec![0; size(file).unwrap() as usize];
        file.read_exact_at(&mut bytes, 0).unwrap();
        bytes
    }

    #[test]
    fn tells_zeros() {
        assert!(is_zero(&[]) && is_zero(&[0; 1000]));
        for at in [0, 63, 64, 999] {
            let mut bytes = [0; 1000];
            bytes[at] = 1;
            assert!(!is_zero(&bytes), "{at}");
        }
    }

    #[test]
    fn every_byte_of_data_lies_in_a_range() {
        let file = holey();
        let (mut offset, mut covered) = (0, vec![false; 8 << 20]);
        while let Some(range) = next_data(&file, offset, 8 << 20).unwrap() {
            assert!(!range.is_empty() && range.start >= offset);
            covered[range.start as usize..range.end as usize].fill(true);
            offset = range.end;
        }
        assert!(read(&file).iter().zip(covered).all(|(byte, covered)| *byte == 0 || covered));
    }

    #[test]
    fn copies_with_holes() {
        let (from, to, third) = (holey(), tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
        copy(&from, &to).unwrap();
        assert!(read(&from) == read(&to));
        assert!(to.metadata().unwrap().blocks() <= from.metadata().unwrap().blocks() + 16);
        copy_through_memory(&from, &third, 0..8 << 20).unwrap();
        assert!(read(&from) == read(&third));
    }

    #[test]
    fn clears_by_hole_and_by_zeros() {
        for how in [clear as fn(&File, Range<u64>) -> io::Result<()>, write_zeros] {
            let file = holey();
            how(&file, (1 << 20) + 10..(1 << 20) + 4000).unwrap();
            let bytes = read(&file);
            assert_eq!(bytes.len(), 8 << 20);
            assert_eq!(bytes.iter().filter(|byte| **byte == 1).count(), 4096 - 3990);
        }
    }
}
