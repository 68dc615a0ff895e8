// SPDX-License-Identifier: GPL-3.0-or-later

//! A reader or writer whose bytes are shown as progress.

use std::io::{self, Read, Write};

use ansible_module::Progress;

/// What is read or written, shown while it is.
pub struct Watched<T> {
    /// What is read or written.
    pub inner: T,
    /// Where that is shown.
    pub progress: Progress,
}

impl<T: Read> Read for Watched<T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.progress.advance(count as u64);
        Ok(count)
    }
}

impl<T: Write> Write for Watched<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.progress.advance(count as u64);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
