// SPDX-License-Identifier: GPL-3.0-or-later

//! A libvirt daemon that hangs: its calls have no time limit of their own, so somebody else has to watch them.

use std::process::ExitCode;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};
use std::{mem, thread};

use ansible_module::{Reply, Seconds, Task};
use anyhow::{Result, bail};
use virt::sys;

/// Between two looks at whether the work goes on.
const LOOK: Duration = Duration::from_millis(100);

/// Some calls work long: starting a guest fills huge pages or reads saved memory, the first connection probes emulators.
pub fn default_patience() -> Seconds {
    Seconds::new(300)
}

/// Ends the process of a module that has called libvirt. A thread may still be in a call then, reading a console or given
/// up, and must not meet libvirt's exit handlers.
pub fn leave(code: ExitCode) -> ! {
    sys::leave(u8::from(code != ExitCode::SUCCESS))
}

/// Does `work` on a thread of its own, and gives it up when it has been in one call of libvirt for `patience`. The thread
/// ends with the process.
///
/// # Errors
/// Those of `work`; one line with what to do where libvirt does not answer.
pub fn within(
    patience: Seconds,
    task: &mut Task,
    work: impl FnOnce(&mut Task) -> Result<Reply> + Send + 'static,
) -> Result<Reply> {
    let (sender, receiver) = channel();
    let mut inner = mem::take(task);
    thread::spawn(move || {
        let reply = work(&mut inner);
        // Nobody listens any more when patience has come to its end.
        let _ = sender.send((reply, inner));
    });
    let (mut seen, mut since) = (sys::last_call(), Instant::now());
    loop {
        match receiver.recv_timeout(LOOK) {
            Ok((reply, inner)) => {
                *task = inner;
                return reply;
            }
            Err(RecvTimeoutError::Disconnected) => {
                bail!("expected a reply of the work, found it ended without")
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
        let now = sys::last_call();
        if now != seen {
            (seen, since) = (now, Instant::now());
        } else if since.elapsed() >= patience.duration() {
            bail!(
                "calling {}: expected an answer of libvirt within {patience}, found none: its daemon hangs or is very busy; \
                 restart it (Debian: systemctl restart libvirtd; FreeBSD: service libvirtd restart), which leaves guests \
                 running, or give it a longer `answer_timeout`",
                now.1.to_string_lossy()
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_that_ends_keeps_its_task_and_its_error() {
        let mut task = Task::default();
        task.check_mode = true;
        let reply = within(Seconds::new(60), &mut task, |task| {
            assert!(task.check_mode);
            bail!("no such domain")
        });
        assert_eq!(reply.map(drop).unwrap_err().to_string(), "no such domain");
        assert!(task.check_mode);
    }
}
