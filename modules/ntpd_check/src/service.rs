// SPDX-License-Identifier: GPL-3.0-or-later

//! Restarting the daemon: the one thing this program changes on a host. What the tool says of it is not believed: the engine's
//! process before and after is compared.

use std::ffi::OsStr;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use ansible_module::{Finished, Tool};
use anyhow::{Context, Result};

use crate::daemon::Process;

/// A restart that takes longer has failed.
const LIMIT: Duration = Duration::from_secs(60);

/// Time in which a restarted daemon has an engine, after the tool has said that it is done.
pub const SETTLING: Duration = Duration::from_secs(10);

/// Pause between two looks for it.
const PAUSE: Duration = Duration::from_millis(100);

/// Seconds by which the age of a process may be rounded.
const ROUNDING: u64 = 2;

/// What has become of the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// A new one runs.
    New,
    /// The same one runs.
    Same,
    /// None runs.
    Gone,
}

/// OpenNTPD's service name on this platform.
pub fn default_name(os: &str) -> &'static str {
    if os == "openbsd" { "ntpd" } else { "openntpd" }
}

/// Asks the daemon itself whether it would start again with its configuration, `config` or the one it was built with.
/// FreeBSD has another `ntpd` in its base system, so the one beside ntpctl is taken.
///
/// # Errors
/// Where it would not, or cannot be asked.
pub fn validate(config: Option<&Path>) -> Result<()> {
    let ntpd = Tool::find("ntpctl")?.sibling("ntpd")?;
    let file = config.map(|path| [OsStr::new("-f"), path.as_os_str()]);
    ntpd.command().arg("-n").args(file.into_iter().flatten()).time_limit(LIMIT).run()?;
    Ok(())
}

/// The restart of `service`, or of the platform's, in words that can be typed.
pub fn described(service: Option<&str>) -> String {
    let (tool, args) = of_this_host(service);
    format!("{tool} {}", args.join(" "))
}

/// Restarts `service`, or the platform's, with the platform's own tool.
///
/// # Errors
/// Where the tool is missing or says no.
pub fn restart(service: Option<&str>) -> Result<Finished> {
    let (tool, args) = of_this_host(service);
    let doing = || format!("restarting the daemon with `{}`", described(service));
    Tool::find(tool).with_context(doing)?.command().args(args).time_limit(LIMIT).run().with_context(doing)
}

fn of_this_host(service: Option<&str>) -> (&'static str, [&str; 2]) {
    let os = std::env::consts::OS;
    let service = service.unwrap_or(default_name(os));
    command(service, os, Path::new("/run/systemd/system").exists())
}

/// FreeBSD's `restart` of a service that is not enabled says "Cannot 'restart'" and exits with 0; a daemon that runs is one that
/// somebody wants, so `onerestart` it is.
fn command<'a>(service: &'a str, os: &str, systemd: bool) -> (&'static str, [&'a str; 2]) {
    match os {
        "openbsd" => ("rcctl", ["restart", service]),
        "linux" if systemd => ("systemctl", ["restart", service]),
        "freebsd" | "dragonfly" | "netbsd" => ("service", [service, "onerestart"]),
        _ => ("service", [service, "restart"]),
    }
}

/// What has become of the engine `before`, asked with `look` until it is a new one or there is no hope.
///
/// # Errors
/// Where nobody can look.
pub fn compare(
    before: Process,
    settling: Duration,
    mut look: impl FnMut() -> Result<Option<Process>>,
) -> Result<Engine> {
    let started = Instant::now();
    loop {
        let found = judge(before, look()?, started.elapsed().as_secs());
        if found == Engine::New || started.elapsed() >= settling {
            return Ok(found);
        }
        thread::sleep(PAUSE);
    }
}

/// A process id comes again, most of all in containers: a new engine may have it, but not the age.
fn judge(before: Process, now: Option<Process>, passed: u64) -> Engine {
    match now {
        None => Engine::Gone,
        Some(now) if now.pid != before.pid => Engine::New,
        Some(now) if now.uptime + ROUNDING < before.uptime => Engine::New,
        // One that was young already is older by what has passed.
        Some(now) if passed > 2 * ROUNDING && now.uptime + ROUNDING < before.uptime + passed => Engine::New,
        Some(_) => Engine::Same,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_platform_has_its_tool() {
        assert_eq!(command("ntpd", "openbsd", false), ("rcctl", ["restart", "ntpd"]));
        assert_eq!(command("openntpd", "freebsd", false), ("service", ["openntpd", "onerestart"]));
        assert_eq!(command("openntpd", "linux", true), ("systemctl", ["restart", "openntpd"]));
        assert_eq!(command("openntpd", "linux", false), ("service", ["openntpd", "restart"]));
    }

    #[test]
    fn a_new_engine_has_another_process_id_or_is_younger() {
        let before = Process { pid: 932, uptime: 90_000 };
        let engine = |pid, uptime| Some(Process { pid, uptime });
        let cases = [
            (None, Engine::Gone),
            (engine(932, 90_000), Engine::Same),
            (engine(932, 90_003), Engine::Same),
            (engine(932, 89_999), Engine::Same),
            (engine(932, 0), Engine::New),
            (engine(1200, 0), Engine::New),
        ];
        for (now, expected) in cases {
            assert_eq!(judge(before, now, 3), expected, "{now:?}");
        }
    }

    #[test]
    fn a_daemon_that_takes_its_time_is_waited_for() {
        let before = Process { pid: 932, uptime: 90_000 };
        let mut looks = 0;
        let found = compare(before, SETTLING, || {
            looks += 1;
            Ok((looks > 2).then_some(Process { pid: 1200, uptime: 0 }))
        });
        assert_eq!((found.unwrap(), looks), (Engine::New, 3));
    }
}
