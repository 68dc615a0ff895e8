// SPDX-License-Identifier: GPL-3.0-or-later

//! How slow a sender may be.

use std::io::{self, ErrorKind, Read};
use std::time::{Duration, Instant};

/// Bytes per second below which a transfer is given up: an image of 1 GiB would take a day and a half.
const SLOWEST: u64 = 8 * 1024;

/// How long a sender may take: it has to deliver 8 KiB per second on average, judged each time it has made us
/// wait for `patience` in all. That ends a silent sender as well as one that dribbles.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// How long one answer, and one stretch of slowness, may last.
    pub patience: Duration,
}

impl Pace {
    fn least(self) -> u64 {
        u64::try_from(self.patience.as_millis()).unwrap_or(u64::MAX).saturating_mul(SLOWEST) / 1000
    }
}

/// A reader that gives up when its sender is slower than its pace. Each single read of `inner` must itself end
/// after `patience`, by the time limit of its socket.
#[derive(Debug)]
pub struct Paced<R> {
    inner: R,
    pace: Pace,
    /// Waiting in this stretch, and the bytes that came in it.
    waited: Duration,
    received: u64,
    /// Bytes of this answer.
    total: u64,
}

impl<R: Read> Paced<R> {
    /// Watches `inner`.
    pub fn new(inner: R, pace: Pace) -> Self {
        Self { inner, pace, waited: Duration::ZERO, received: 0, total: 0 }
    }

    /// Begins another answer, `here` bytes of which have come together with what was before it.
    pub fn begin(&mut self, here: u64) {
        (self.waited, self.received, self.total) = (Duration::ZERO, here, here);
    }

    /// Counts one read, and judges the stretch that it may have ended. Only waiting counts: a slow consumer
    /// is not the sender's fault.
    fn judge(&mut self, waited: Duration, received: u64) -> io::Result<()> {
        self.waited += waited;
        self.received += received;
        self.total += received;
        if self.waited < self.pace.patience {
            return Ok(());
        }
        if self.received < self.pace.least() {
            return Err(too_slow(self.pace, self.received));
        }
        (self.waited, self.received) = (Duration::ZERO, 0);
        Ok(())
    }
}

impl<R: Read> Read for Paced<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let started = Instant::now();
        let received = match self.inner.read(buffer) {
            Ok(received) => received,
            // A socket's time limit shows as either kind.
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                return Err(silent(self.pace, self.total));
            }
            Err(error) => return Err(error),
        };
        if received > 0 {
            self.judge(started.elapsed(), received as u64)?;
        }
        Ok(received)
    }
}

fn too_slow(pace: Pace, received: u64) -> io::Error {
    gave_up(format!(
        "{} in {} s, expected at least {}",
        bytes(received),
        pace.patience.as_secs_f64(),
        pace.least()
    ))
}

fn silent(pace: Pace, total: u64) -> io::Error {
    let before = if total == 0 { String::new() } else { bytes(total) + " and then " };
    gave_up(format!("{before}nothing for {} s", pace.patience.as_secs_f64()))
}

fn gave_up(sent: String) -> io::Error {
    io::Error::new(
        ErrorKind::TimedOut,
        format!("the other side sent {sent}; it hangs or the link is too slow"),
    )
}

fn bytes(number: u64) -> String {
    format!("{number} byte{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACE: Pace = Pace { patience: Duration::from_secs(10) };

    #[test]
    fn slowness_is_judged_by_the_time_spent_waiting() {
        // Each pair: seconds waited and bytes received.
        type Reads = &'static [(u64, u64)];
        let table: [(Reads, Option<u64>); 5] = [
            (&[(0, 1), (0, 1), (9, 1)], None),
            (&[(4, 40_000), (6, 41_920), (4, 0), (5, 0)], None),
            (&[(4, 40_000), (6, 41_919)], Some(81_919)),
            (&[(1, 10); 10], Some(100)),
            (&[(10, 1 << 30), (10, 1)], Some(1)),
        ];
        for (reads, found) in table {
            let mut paced = Paced::new(io::empty(), PACE);
            let judged: io::Result<()> =
                reads.iter().try_for_each(|(waited, got)| paced.judge(Duration::from_secs(*waited), *got));
            let expected = found.map(|found| {
                format!(
                    "the other side sent {} in 10 s, expected at least 81920; it hangs or the link is too slow",
                    bytes(found)
                )
            });
            assert_eq!(judged.err().map(|error| error.to_string()), expected);
        }
    }

    #[test]
    fn a_silent_socket_is_given_up() {
        let (ours, _theirs) = std::os::unix::net::UnixStream::pair().unwrap();
        let pace = Pace { patience: Duration::from_millis(20) };
        ours.set_read_timeout(Some(pace.patience)).unwrap();
        let error = Paced::new(ours, pace).read(&mut [0; 8]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the other side sent nothing for 0.02 s; it hangs or the link is too slow"
        );
    }
}
