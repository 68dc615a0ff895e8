//! Passes verified records on, to `zfs receive` for one, and withholds the record on which the receiver would commit.

use crate::reader::{Event, Step, Summary};
use std::io::{self, Write};

/// A gate between a [`crate::Reader`] and a receiver.
///
/// The last END record stays here until [`Relay::commit`]. A receiver whose input closes before has an incomplete stream and discards it.
pub struct Relay<W> {
    sink: W,
    held: Vec<u8>,
    passed: u64,
}

impl<W: Write> Relay<W> {
    /// A gate in front of `sink`, which should be unbuffered: records are passed on whole.
    pub fn new(sink: W) -> Self {
        Relay { sink, held: Vec::new(), passed: 0 }
    }

    /// Passes on one record, or holds it if it ends something.
    ///
    /// # Errors
    /// Those of writing to the receiver, and only those: its own words then say why.
    pub fn pass(&mut self, step: &Step) -> io::Result<()> {
        match step.event {
            Event::End { .. } | Event::EndOfPackage => {
                self.held.extend_from_slice(step.raw);
                Ok(())
            }
            // Another stream of the package follows: the end before it was not the last one.
            Event::Begin | Event::Write { .. } | Event::Free { .. } | Event::Other => {
                self.release()?;
                self.passed += step.raw.len() as u64;
                self.sink.write_all(step.raw)
            }
        }
    }

    /// Bytes passed on so far.
    pub fn passed(&self) -> u64 {
        self.passed
    }

    /// Lets the receiver commit; the summary is the proof that the stream was judged to its end.
    ///
    /// # Errors
    /// Those of writing to the receiver.
    pub fn commit(mut self, _judged: &Summary) -> io::Result<W> {
        self.release()?;
        self.sink.flush()?;
        Ok(self.sink)
    }

    fn release(&mut self) -> io::Result<()> {
        if !self.held.is_empty() {
            self.sink.write_all(&self.held)?;
            self.passed += self.held.len() as u64;
            self.held.clear();
        }
        Ok(())
    }
}
