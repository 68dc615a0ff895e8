// SPDX-License-Identifier: GPL-3.0-or-later

//! A checksum that is computed beside what its bytes are needed for: in a thread of its own once there are many of them.

use std::mem;
use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use super::{Running, Sum, SumKind};

/// Bytes handed to the thread at a time. What is smaller is not worth one.
const BLOCK: usize = 128 << 10;

/// Blocks on their way to the thread.
const QUEUE: usize = 2;

/// A checksum being computed.
pub struct Hasher {
    /// Bytes that are not on their way yet.
    pending: Vec<u8>,
    place: Place,
}

enum Place {
    /// Few bytes so far, or a system that has no thread to spare.
    Here(Running),
    There(Worker),
}

struct Worker {
    blocks: SyncSender<Vec<u8>>,
    used: Receiver<Vec<u8>>,
    thread: JoinHandle<Running>,
}

impl Hasher {
    /// Starts a checksum.
    pub fn new(kind: SumKind) -> Self {
        Self { pending: Vec::new(), place: Place::Here(Running::new(kind)) }
    }

    /// Adds bytes.
    pub fn update(&mut self, mut bytes: &[u8]) {
        while self.pending.len() + bytes.len() >= BLOCK {
            let (now, later) = bytes.split_at(BLOCK - self.pending.len());
            self.pending.extend_from_slice(now);
            self.send();
            bytes = later;
        }
        self.pending.extend_from_slice(bytes);
    }

    /// Ends the checksum.
    pub fn finish(self) -> Sum {
        let mut running = match self.place {
            Place::Here(running) => running,
            Place::There(Worker { blocks, thread, .. }) => {
                drop(blocks);
                thread.join().unwrap_or_else(|panic| resume_unwind(panic))
            }
        };
        running.update(&self.pending);
        running.finish()
    }

    /// Hands the pending block over.
    fn send(&mut self) {
        if let Place::Here(running) = &self.place
            && let Some(worker) = Worker::start(running.clone())
        {
            self.place = Place::There(worker);
        }
        match &mut self.place {
            Place::Here(running) => {
                running.update(&self.pending);
                self.pending.clear();
            }
            Place::There(worker) => {
                let empty = worker.used.try_recv().unwrap_or_else(|_| Vec::with_capacity(BLOCK));
                // It ends only with its sender.
                let _ = worker.blocks.send(mem::replace(&mut self.pending, empty));
            }
        }
    }
}

impl Worker {
    /// `None` where the system has no thread to spare.
    fn start(mut running: Running) -> Option<Self> {
        let (blocks, arriving) = sync_channel::<Vec<u8>>(QUEUE);
        let (returning, used) = sync_channel(QUEUE + 1);
        let work = move || {
            for mut block in arriving {
                running.update(&block);
                block.clear();
                // One too many is of no use.
                let _ = returning.try_send(block);
            }
            running
        };
        let thread = thread::Builder::new().name("checksum".to_owned()).spawn(work).ok()?;
        Some(Self { blocks, used, thread })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_do_not_depend_on_how_bytes_are_cut() {
        let bytes: Vec<u8> = (0..5 * BLOCK + 7).map(|i| ((i * 31) >> 3) as u8).collect();
        for kind in [SumKind::Sha256, SumKind::Blake2b, SumKind::Blake2s] {
            for length in [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, bytes.len()] {
                let mut whole = Running::new(kind);
                whole.update(&bytes[..length]);
                let expected = whole.finish();
                for piece in [1000, BLOCK - 1, BLOCK, 3 * BLOCK] {
                    let mut hasher = Hasher::new(kind);
                    bytes[..length].chunks(piece).for_each(|piece| hasher.update(piece));
                    assert_eq!(hasher.finish(), expected, "{length} in pieces of {piece}");
                }
            }
        }
    }

    #[test]
    fn one_that_is_given_up_leaves_no_thread() {
        let mut hasher = Hasher::new(SumKind::Sha256);
        hasher.update(&vec![0; 10 * BLOCK]);
        let Place::There(Worker { blocks, thread, .. }) = hasher.place else { panic!("it is still here") };
        drop(blocks);
        thread.join().unwrap();
    }
}
