// SPDX-License-Identifier: GPL-3.0-or-later

//! Programs of the host: found by absolute path, run with a fixed locale and a time limit, always judged.

use std::ffi::OsStr;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ExitStatus, Stdio};
use std::sync::mpsc::RecvTimeoutError;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::finished::Finished;
use crate::output::{Collected, collect_all, collect_tail};

/// System administration tools are often missing in the PATH of a plain login.
const SYSTEM_FOLDERS: [&str; 6] =
    ["/sbin", "/bin", "/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"];

/// Time limit of a command that sets none: far above the slowest administration command, far below for ever.
const LIMIT: Duration = Duration::from_secs(120);

/// A program that is there.
#[derive(Clone, Debug)]
pub struct Tool {
    path: PathBuf,
}

impl Tool {
    /// Finds program `name` in PATH or in the system's folders.
    ///
    /// # Errors
    /// Where it is in none of them.
    pub fn find(name: &str) -> Result<Tool> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        // A relative folder in PATH would let whoever owns the working folder choose the program.
        let folders = std::env::split_paths(&path).filter(|folder| folder.is_absolute());
        let folders = std::env::join_paths(folders.chain(SYSTEM_FOLDERS.map(PathBuf::from)))?;
        let path = which::which_in(name, Some(folders), "/").map_err(|_| {
            anyhow!("looking for the program `{name}`: it is neither in PATH nor in the system's folders; install it")
        })?;
        Ok(Tool { path })
    }

    /// The program `name` that was installed with this one: another of that name may come first in PATH.
    ///
    /// # Errors
    /// Where this program's folder holds none.
    pub fn sibling(&self, name: &str) -> Result<Tool> {
        let path = self.path.with_file_name(name);
        let path = which::which(&path)
            .map_err(|_| anyhow!("looking for the program {}: it is not there", path.display()))?;
        Ok(Tool { path })
    }

    /// A command of this program, without arguments yet.
    pub fn command(&self) -> Command {
        #[expect(clippy::disallowed_methods, reason = "this is the one place that makes commands")]
        let mut inner = std::process::Command::new(&self.path);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("LC_") {
                inner.env_remove(name);
            }
        }
        inner.env_remove("LANGUAGE").env("LANG", "C.UTF-8").env("LC_ALL", "C.UTF-8");
        // A group of its own, so that a time limit ends grandchildren too.
        inner.stdin(Stdio::null()).stdout(Stdio::null()).process_group(0);
        Command { inner, limit: LIMIT }
    }
}

/// A command about to be run.
#[derive(Debug)]
pub struct Command {
    inner: std::process::Command,
    limit: Duration,
}

impl Command {
    /// Adds one argument.
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.inner.arg(arg);
        self
    }

    /// Adds arguments.
    pub fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.inner.args(args);
        self
    }

    /// Sets an environment variable.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.inner.env(name, value);
        self
    }

    /// Gives the command something else than nothing to read.
    pub fn stdin(mut self, stdin: impl Into<Stdio>) -> Self {
        self.inner.stdin(stdin);
        self
    }

    /// Kills the command after `limit` (120 s where this is not called).
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Runs the command to its end and expects exit status 0.
    ///
    /// # Errors
    /// [`CommandFailed`](crate::CommandFailed) in the chain for another status; also where it cannot be started,
    /// runs into its time limit, or prints more than 16 MiB.
    pub fn run(self) -> Result<Finished> {
        self.output()?.expect_success()
    }

    /// Runs the command to its end; the caller judges the status.
    ///
    /// # Errors
    /// As for [`Command::run`], but for the exit status.
    pub fn output(mut self) -> Result<Finished> {
        self.inner.stdout(Stdio::piped());
        self.spawn()?.finish()
    }

    /// Starts the command. Its stderr is collected, and its stdout where that is a pipe.
    ///
    /// # Errors
    /// Where the program cannot be started.
    pub fn spawn(mut self) -> Result<Running> {
        let cmd = words(&self.inner);
        self.inner.stderr(Stdio::piped());
        let mut child = self.inner.spawn().with_context(|| format!("starting `{cmd}`"))?;
        let stdout = collect_all(child.stdout.take());
        let stderr = collect_tail(child.stderr.take());
        let deadline = Instant::now() + self.limit;
        Ok(Running { cmd, child, stdout, stderr, deadline, limit: self.limit })
    }

    /// Says where stdout of a spawned command goes; a pipe is collected.
    pub fn stdout(mut self, stdout: impl Into<Stdio>) -> Self {
        self.inner.stdout(stdout);
        self
    }
}

/// A command that runs. Dropping it kills it.
#[derive(Debug)]
pub struct Running {
    cmd: String,
    child: Child,
    stdout: Collected,
    stderr: Collected,
    deadline: Instant,
    limit: Duration,
}

impl Running {
    /// The pipe to the command's standard input, where `stdin(Stdio::piped())` asked for one; once.
    pub fn take_stdin(&mut self) -> Option<ChildStdin> {
        self.child.stdin.take()
    }

    /// Waits for the end of the command.
    ///
    /// # Errors
    /// Where it runs into its time limit (it is killed then) or prints too much.
    pub fn finish(mut self) -> Result<Finished> {
        drop(self.take_stdin());
        let stdout = self.receive(|running| &running.stdout)?;
        let stderr = self.receive(|running| &running.stderr)?;
        let status = self.wait()?;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ok(Finished {
            cmd: std::mem::take(&mut self.cmd),
            status,
            stdout: text(stdout),
            stderr: text(stderr),
        })
    }

    /// Ends the command at once, with all it has started.
    pub fn kill(&mut self) {
        self.strike();
        // It may have ended by itself; either way it is gone afterwards.
        let _ = self.child.wait();
    }

    /// Tells the command, and all it has started, to end at once, and does not wait for that.
    pub fn strike(&mut self) {
        if let Ok(None) = self.child.try_wait()
            && let Ok(pid) = i32::try_from(self.child.id())
        {
            let _ = killpg(Pid::from_raw(pid), Signal::SIGKILL);
        }
    }

    fn receive(&mut self, end: fn(&Running) -> &Collected) -> Result<Vec<u8>> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        match end(self).recv_timeout(left) {
            Ok(output) => output.with_context(|| format!("reading the output of `{}`", self.cmd)),
            Err(RecvTimeoutError::Timeout) => self.out_of_time(),
            // The command has no such pipe.
            Err(RecvTimeoutError::Disconnected) => Ok(Vec::new()),
        }
    }

    fn wait(&mut self) -> Result<ExitStatus> {
        let mut pause = Duration::from_micros(100);
        loop {
            if let Some(status) =
                self.child.try_wait().with_context(|| format!("waiting for `{}`", self.cmd))?
            {
                return Ok(status);
            }
            if Instant::now() >= self.deadline {
                return self.out_of_time();
            }
            thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(20));
        }
    }

    fn out_of_time<T>(&mut self) -> Result<T> {
        self.kill();
        bail!(
            "running `{}`: expected it to end within {} s, found it still running and ended it",
            self.cmd,
            self.limit.as_secs()
        )
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The command line, with what a shell would take apart in single quotes.
fn words(command: &std::process::Command) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=+./:@%,^".contains(c);
    let word = |word: &OsStr| match word.to_string_lossy().into_owned() {
        text if !text.is_empty() && text.chars().all(plain) => text,
        text => format!("'{}'", text.replace('\'', r"'\''")),
    };
    let all: Vec<&OsStr> = std::iter::once(command.get_program()).chain(command.get_args()).collect();
    all.into_iter().map(word).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
