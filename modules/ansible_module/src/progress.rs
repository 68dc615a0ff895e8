// SPDX-License-Identifier: GPL-3.0-or-later

//! Progress of long work, for the person who waits: a moving line on a terminal, or
//! JSON lines in the file named by `APIARY_PROGRESS`, which the controller reads.

use std::env;
use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

/// Where the controller asks for progress.
const VARIABLE: &str = "APIARY_PROGRESS";

/// Short enough to look alive, long enough to cost nothing.
const EVERY: Duration = Duration::from_millis(500);

/// A count of bytes that is shown while it grows. Threads may share it; dropping it ends the display.
#[derive(Debug)]
pub struct Progress {
    label: String,
    total: Option<u64>,
    done: AtomicU64,
    started: Instant,
    /// Milliseconds after `started` at which the next report is due.
    due: AtomicU64,
    sink: Option<Mutex<Sink>>,
}

#[derive(Debug)]
enum Sink {
    Terminal,
    Records(File),
}

impl Progress {
    /// On the ordinary transfer Ansible gives a module a terminal that it reads as the reply:
    /// only a program run by hand may draw on it.
    pub(crate) fn start(label: &str, total: Option<u64>, by_hand: bool) -> Self {
        let sink = match env::var_os(VARIABLE) {
            Some(path) => {
                OpenOptions::new().append(true).create(true).mode(0o600).open(path).ok().map(Sink::Records)
            }
            None => (by_hand && io::stderr().is_terminal()).then_some(Sink::Terminal),
        };
        Progress {
            label: label.to_owned(),
            total,
            done: AtomicU64::new(0),
            started: Instant::now(),
            due: AtomicU64::new(EVERY.as_millis() as u64),
            sink: sink.map(Mutex::new),
        }
    }

    /// Counts `bytes` more; now and then shows where the work stands.
    pub fn advance(&self, bytes: u64) {
        let done = self.done.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let Some(sink) = &self.sink else { return };
        let now = self.started.elapsed().as_millis() as u64;
        let due = self.due.load(Ordering::Relaxed);
        let next = now + EVERY.as_millis() as u64;
        let ours =
            now >= due && self.due.compare_exchange(due, next, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if let (true, Ok(mut sink)) = (ours, sink.lock()) {
            // Work never fails because nobody could be told of it.
            let _ = self.show(&mut sink, done);
        }
    }

    fn show(&self, sink: &mut Sink, done: u64) -> io::Result<()> {
        let seconds = self.started.elapsed().as_secs_f64();
        match sink {
            Sink::Terminal => {
                write!(io::stderr(), "\r\x1b[K{}", line(&self.label, done, self.total, seconds))
            }
            Sink::Records(file) => {
                let record =
                    json!({"label": self.label, "bytes": done, "total": self.total, "seconds": seconds});
                file.write_all(format!("{record}\n").as_bytes())
            }
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        let done = self.done.load(Ordering::Relaxed);
        let Some(mut sink) = self.sink.take().and_then(|sink| sink.into_inner().ok()) else { return };
        let _ = match sink {
            Sink::Terminal => write!(io::stderr(), "\r\x1b[K"),
            Sink::Records(_) => self.show(&mut sink, done),
        };
    }
}

/// One line: what, how far, how fast, how long yet.
fn line(label: &str, done: u64, total: Option<u64>, seconds: f64) -> String {
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let rate = if seconds > 0.0 { done as f64 / seconds } else { 0.0 };
    let speed = format!("{:.0} MiB/s", rate / f64::from(1 << 20));
    match total {
        Some(total) if total > 0 => {
            let percent = 100.0 * done as f64 / total as f64;
            let left = if rate > 0.0 { total.saturating_sub(done) as f64 / rate } else { 0.0 };
            let so_far = format!("{:.0} of {:.0} MiB ({percent:.0} %)", mib(done), mib(total));
            format!("{label}: {so_far}, {speed}, {left:.0} s left")
        }
        _ => format!("{label}: {:.0} MiB, {speed}", mib(done)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_how_long_yet() {
        assert_eq!(
            line("receiving web1", 512 << 20, Some(2 << 30), 2.0),
            "receiving web1: 512 of 2048 MiB (25 %), 256 MiB/s, 6 s left"
        );
        assert_eq!(line("fetching", 3 << 20, None, 1.0), "fetching: 3 MiB, 3 MiB/s");
        assert_eq!(line("fetching", 0, Some(0), 0.0), "fetching: 0 MiB, 0 MiB/s");
    }

    #[test]
    fn records_end_with_the_whole_count() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("progress");
        let file = File::create(&path).unwrap();
        let sink = Some(Mutex::new(Sink::Records(file)));
        let (done, due) = (AtomicU64::new(0), AtomicU64::new(0));
        let progress =
            Progress { label: "copy".into(), total: Some(7), done, started: Instant::now(), due, sink };
        progress.advance(3);
        progress.advance(4);
        drop(progress);
        let text = std::fs::read_to_string(path).unwrap();
        let last: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
        assert_eq!((&last["bytes"], &last["total"], &last["label"]), (&json!(7), &json!(7), &json!("copy")));
    }
}
