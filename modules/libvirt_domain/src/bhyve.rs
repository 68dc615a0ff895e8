// SPDX-License-Identifier: GPL-3.0-or-later

//! What libvirt's bhyve driver (read and run in 11.3) does not see or forgets, looked up on this machine. Reads only.

pub(crate) mod losses;

use std::path::{Path, PathBuf};

use ansible_module::Tool;
use anyhow::{Context, Result};

use crate::names::ConnectUri;

/// Where libvirt's configuration is: FreeBSD's port has a prefix of its own.
const CONFIGURATION: &str =
    if cfg!(target_os = "freebsd") { "/usr/local/etc/libvirt/bhyve" } else { "/etc/libvirt/bhyve" };

/// Whether a connection is to bhyve.
pub(crate) fn is_bhyve(uri: &ConnectUri) -> bool {
    uri.driver() == "bhyve"
}

/// Whether it is to bhyve on this machine, so that its processes and files can be looked at.
pub(crate) fn is_here(uri: &ConnectUri) -> bool {
    is_bhyve(uri) && uri.is_this_machine()
}

/// The link by which a domain starts with the host. At each stop, libvirt before 11.6 forgets that it is there: then it can
/// neither be made nor taken away through libvirt.
pub(crate) fn autostart_link(name: &str) -> PathBuf {
    Path::new(CONFIGURATION).join("autostart").join(format!("{name}.xml"))
}

/// Whether there is such a link.
///
/// # Errors
/// Where that cannot be found out.
pub(crate) fn has_autostart_link(name: &str) -> Result<bool> {
    let link = autostart_link(name);
    match link.symlink_metadata() {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error).with_context(|| format!("looking at {}", link.display())),
    }
}

/// What a process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Process {
    /// bhyve with the guest of this name.
    OfGuest,
    /// Something else, or bhyve before it has the guest.
    Other,
    /// There is none of that number.
    Gone,
}

/// What the process is that libvirt takes for the guest's: bhyve sets its title to the guest's name when it has got it, and libvirt
/// neither sees when it is killed nor, with two starts at once, whose it is.
///
/// # Errors
/// Where ps(1) cannot be asked.
pub(crate) fn process(pid: u32, name: &str) -> Result<Process> {
    let command = Tool::find("ps")?.command().args(["-ww", "-o", "command=", "-p", &pid.to_string()]);
    // It ends with 1 where there is no such process.
    let listed = command.output().with_context(|| format!("asking what process {pid} is"))?;
    Ok(read(&listed.stdout, name))
}

fn read(listed: &str, name: &str) -> Process {
    match listed.trim() {
        "" => Process::Gone,
        // FreeBSD puts the program's name after a title that was set.
        title if title.strip_suffix(" (bhyve)").unwrap_or(title) == format!("bhyve: {name}") => {
            Process::OfGuest
        }
        _ => Process::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_known_by_its_title() {
        for (listed, expected) in [
            ("bhyve: web1\n", Process::OfGuest),
            ("bhyve: web1 (bhyve)\n", Process::OfGuest),
            ("bhyve: web10 (bhyve)\n", Process::Other),
            ("/usr/sbin/bhyve -c 1 web1\n", Process::Other),
            ("", Process::Gone),
        ] {
            assert_eq!(read(listed, "web1"), expected, "{listed}");
        }
        assert_eq!(process(std::process::id(), "web1").unwrap(), Process::Other);
    }
}
