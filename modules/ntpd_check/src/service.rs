//! Restarting the daemon: the one thing this program changes on a host.

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
