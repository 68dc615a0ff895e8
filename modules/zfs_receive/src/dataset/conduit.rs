// SPDX-License-Identifier: GPL-3.0-or-later

//! The way from us to `zfs receive`: it takes bytes, and parts of files without copying them.

pub use platform::{Inlet, open, pass_file};

/// What the way holds: with 64 KiB a receive takes a quarter longer.
const CAPACITY: usize = 1 << 20;

/// A pipe, into which the page cache is spliced.
#[cfg(target_os = "linux")]
mod platform {
    use std::fs::File;
    use std::io::{self, PipeWriter};
    use std::os::fd::OwnedFd;

    use nix::fcntl::{FcntlArg, SpliceFFlags, fcntl, splice};

    use super::CAPACITY;

    /// Our end.
    pub type Inlet = PipeWriter;

    /// Our end, and the one for the command.
    pub fn open() -> io::Result<(Inlet, OwnedFd)> {
        let (outlet, inlet) = io::pipe()?;
        // A user's limit on pipes may forbid it; it only makes it faster.
        let _ = fcntl(&inlet, FcntlArg::F_SETPIPE_SZ(CAPACITY as i32));
        Ok((inlet, outlet.into()))
    }

    /// Passes on at most `length` bytes that stand at `position` of `file`; says how many, 0 at the file's end.
    pub fn pass_file(inlet: &Inlet, file: &File, position: u64, length: u64) -> io::Result<u64> {
        let mut offset = i64::try_from(position).map_err(io::Error::other)?;
        let length = usize::try_from(length).unwrap_or(usize::MAX).min(CAPACITY);
        let moved = splice(file, Some(&mut offset), inlet, None, length, SpliceFFlags::empty())?;
        Ok(moved as u64)
    }
}

/// A pair of sockets, because `sendfile` wants one.
#[cfg(target_os = "freebsd")]
mod platform {
    use std::fs::File;
    use std::io;
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;

    use nix::errno::Errno;
    use nix::sys::sendfile::{SfFlags, sendfile};
    use nix::sys::socket::{setsockopt, sockopt};

    use super::CAPACITY;

    /// Our end.
    pub type Inlet = UnixStream;

    /// Our end, and the one for the command.
    pub fn open() -> io::Result<(Inlet, OwnedFd)> {
        let (outlet, inlet) = UnixStream::pair()?;
        // The system's limit on socket buffers may forbid it; it only makes it faster.
        let _ = setsockopt(&inlet, sockopt::SndBuf, &CAPACITY);
        let _ = setsockopt(&outlet, sockopt::RcvBuf, &CAPACITY);
        Ok((inlet, outlet.into()))
    }

    /// Passes on at most `length` bytes that stand at `position` of `file`; says how many, 0 at the file's end.
    pub fn pass_file(inlet: &Inlet, file: &File, position: u64, length: u64) -> io::Result<u64> {
        let offset = i64::try_from(position).map_err(io::Error::other)?;
        // To `sendfile` 0 bytes are all that the file has.
        let Some(length) = usize::try_from(length).ok().filter(|length| *length > 0) else { return Ok(0) };
        loop {
            let (result, sent) = sendfile(file, inlet, offset, Some(length), None, None, SfFlags::empty(), 0);
            match result {
                Ok(()) => return Ok(sent.unsigned_abs()),
                // Interrupted on the way: what was sent counts.
                Err(_) if sent > 0 => return Ok(sent.unsigned_abs()),
                Err(Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::thread;

    use super::*;
    use std::fs::File;

    #[test]
    fn parts_of_a_file_and_bytes_arrive_in_order() {
        let data: Vec<u8> = (0..3 * CAPACITY + 77).map(|i| (i * 31 / 7) as u8).collect();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&data).unwrap();
        let (mut inlet, outlet) = open().unwrap();
        let reader = thread::spawn(move || {
            let mut arrived = Vec::new();
            File::from(outlet).read_to_end(&mut arrived).map(|_| arrived).unwrap()
        });
        let (from, to) = (1003, data.len() as u64 - 5);
        inlet.write_all(b"before").unwrap();
        let mut position = from;
        while position < to {
            position += pass_file(&inlet, &file, position, to - position).unwrap();
        }
        inlet.write_all(b"behind").unwrap();
        assert_eq!(pass_file(&inlet, &file, data.len() as u64, 10).unwrap(), 0);
        drop(inlet);
        let expected = [b"before", &data[from as usize..to as usize], b"behind"].concat();
        assert!(reader.join().unwrap() == expected);
    }

    #[test]
    fn a_command_that_has_ended_is_an_error() {
        let file = File::open("/etc/passwd").unwrap();
        let (inlet, outlet) = open().unwrap();
        drop(outlet);
        let error = pass_file(&inlet, &file, 0, 10).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe);
    }
}
