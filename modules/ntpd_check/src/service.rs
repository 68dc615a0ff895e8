// SPDX-License-Identifier: GPL-3.0-or-later

//! Restarting the daemon: the one thing this program changes on a host.

use std::ffi::OsStr;
use std::path::Path;
use std::time::Duration;

use ansible_module::Tool;
use anyhow::{Context, Result};

/// A restart that takes longer has failed.
const LIMIT: Duration = Duration::from_secs(60);

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

/// Restarts `service` with the platform's own tool.
///
/// # Errors
/// Where the tool is missing or says no.
pub fn restart(service: &str, os: &str) -> Result<()> {
    let (tool, args) = command(service, os, Path::new("/run/systemd/system").exists());
    let doing = || format!("restarting service {service}");
    Tool::find(tool).with_context(doing)?.command().args(args).time_limit(LIMIT).run().with_context(doing)?;
    Ok(())
}

fn command<'a>(service: &'a str, os: &str, systemd: bool) -> (&'static str, [&'a str; 2]) {
    match os {
        "openbsd" => ("rcctl", ["restart", service]),
        "linux" if systemd => ("systemctl", ["restart", service]),
        _ => ("service", [service, "restart"]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_platform_has_its_tool() {
        assert_eq!(command("ntpd", "openbsd", false), ("rcctl", ["restart", "ntpd"]));
        assert_eq!(command("openntpd", "freebsd", false), ("service", ["openntpd", "restart"]));
        assert_eq!(command("openntpd", "linux", true), ("systemctl", ["restart", "openntpd"]));
        assert_eq!(command("openntpd", "linux", false), ("service", ["openntpd", "restart"]));
    }
}
