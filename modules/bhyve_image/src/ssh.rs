// SPDX-License-Identifier: GPL-3.0-or-later

//! ssh(1) of the host: a session with `pkg ssh` on the catalogue's server.

use std::io::ErrorKind;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{self, Stdio};
use std::thread;
use std::time::Duration;

use ansible_module::{Command, CommandFailed, Running, Tool};
use anyhow::{Context, Error, Result, ensure};
use image_catalog::path::RelativePath;
use image_catalog::transport::{Opened, Pace, PkgSsh, SshAddress, Transport};

use crate::access::SshOptions;

/// Pauses before another attempt where a busy server has turned us away.
const PAUSES: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(3), Duration::from_secs(6)];

/// What ssh says when the server's sshd had too many sessions at once (MaxStartups), OpenSSH 7 to 10.
const TURNED_AWAY: [&str; 4] = [
    "kex_exchange_identification",
    "Connection closed by",
    "Connection reset by",
    "Not allowed at this time",
];

/// Longer than any fetch: its own pace ends it before.
const SESSION_LIMIT: Duration = Duration::from_secs(7 * 24 * 3600);

/// How long a server may take to hang up.
const FAREWELL: Duration = Duration::from_secs(2);

/// A session over ssh. Dropping it ends ssh.
pub struct Session {
    session: PkgSsh<UnixStream, UnixStream>,
    socket: UnixStream,
    ssh: Option<Running>,
}

/// Logs in and waits for the server's greeting.
///
/// # Errors
/// Where ssh is not installed, the server cannot be reached, does not know our key, or shows another host key than
/// expected; with ssh's own words.
pub fn connect(address: &SshAddress, options: &SshOptions, pace: Pace) -> Result<Session> {
    let mut pauses = PAUSES.into_iter();
    loop {
        match log_in(address, options, pace) {
            Err(error) if is_turned_away(&error) => match pauses.next() {
                // Apart from the other hosts that were turned away in the same moment.
                Some(pause) => thread::sleep(pause + Duration::from_millis(u64::from(process::id() % 1000))),
                None => return Err(error),
            },
            result => return result,
        }
    }
}

fn log_in(address: &SshAddress, options: &SshOptions, pace: Pace) -> Result<Session> {
    let (ours, theirs) = UnixStream::pair().context("making a socket for ssh")?;
    for limit in [UnixStream::set_read_timeout, UnixStream::set_write_timeout] {
        limit(&ours, Some(pace.patience)).context("setting the time limit of a socket")?;
    }
    let theirs = OwnedFd::from(theirs);
    let input = Stdio::from(theirs.try_clone().context("making a socket for ssh")?);
    let command = command(address, options, pace)?.stdin(input).stdout(theirs);
    let ssh = command.time_limit(SESSION_LIMIT).spawn()?;
    let clone = || ours.try_clone().context("making a socket for ssh");
    match PkgSsh::start(clone()?, clone()?, address, pace) {
        Ok(session) => Ok(Session { session, socket: ours, ssh: Some(ssh) }),
        Err(error) => Err(explain(error, ssh)),
    }
}

/// Prefers what ssh itself says, where it has ended.
fn explain(error: Error, ssh: Running) -> Error {
    let ended = error.chain().any(|cause| {
        cause.downcast_ref().is_some_and(|cause: &std::io::Error| cause.kind() == ErrorKind::UnexpectedEof)
    });
    if !ended {
        return error;
    }
    match ssh.finish() {
        Ok(finished) if !finished.status.success() => {
            Error::from(finished.failure()).context(error.to_string())
        }
        _ => error,
    }
}

fn is_turned_away(error: &Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<CommandFailed>())
        .any(|failed| failed.rc == 255 && TURNED_AWAY.iter().any(|phrase| failed.stderr.contains(phrase)))
}

fn command(address: &SshAddress, options: &SshOptions, pace: Pace) -> Result<Command> {
    // Less than our own patience, so that ssh can still say which host did not answer.
    let connect = (pace.patience.as_secs() * 3 / 4).max(1);
    let mut args: Vec<String> = ["-e", "none", "-T", "-x", "-a"].map(str::to_owned).into();
    let mut option = |text: String| args.extend(["-o".to_owned(), text]);
    option("BatchMode=yes".to_owned());
    option("ClearAllForwardings=yes".to_owned());
    option(format!("ConnectTimeout={connect}"));
    if let Some(path) = &options.known_hosts {
        option(format!("UserKnownHostsFile={}", word(path, "ssh_known_hosts")?));
        option("StrictHostKeyChecking=yes".to_owned());
    }
    if let Some(path) = &options.key {
        option("IdentitiesOnly=yes".to_owned());
        option(format!("IdentityFile={}", word(path, "ssh_key")?));
    }
    args.extend(options.args.iter().cloned());
    let mut place = |flag: &str, value: String| args.extend([flag.to_owned(), value]);
    if let Some(port) = address.port {
        place("-p", port.to_string());
    }
    if let Some(user) = &address.user {
        place("-l", user.clone());
    }
    args.extend(["--", &address.host, "pkg", "ssh"].map(str::to_owned));
    Ok(Tool::find("ssh")?.command().args(args))
}

/// A path as one word of ssh's configuration, which would take blanks, quotes, `%` and `$` apart.
fn word<'a>(path: &'a Path, option: &str) -> Result<&'a str> {
    let text =
        path.to_str().filter(|text| !text.contains(|c: char| c.is_whitespace() || "\"'%$\\".contains(c)));
    let text =
        text.with_context(|| format!("option `{option}`: ssh cannot take the path {}", path.display()))?;
    ensure!(path.is_absolute(), "option `{option}` is {text}, expected an absolute path");
    ensure!(path.is_file(), "option `{option}`: there is no file {text}");
    Ok(text)
}

impl Transport for Session {
    fn open(&mut self, path: &RelativePath, from: u64) -> Result<Option<Opened<'_>>> {
        self.session.open(path, from)
    }

    fn place(&self) -> String {
        self.session.place()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // A server that hears it lets ssh end in peace; ssh is ended with its handle in any case.
        let _ = self.socket.set_read_timeout(Some(FAREWELL)).map(|()| self.session.quit());
        drop(self.ssh.take());
    }
}
