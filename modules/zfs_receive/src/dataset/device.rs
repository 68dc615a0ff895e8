// SPDX-License-Identifier: GPL-3.0-or-later

//! Device nodes of volumes: where they are, and whether they are there. Reads only.

use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use zfs_command::DatasetName;

/// `volmode` of volumes for which none is asked: FreeBSD's default lets GEOM taste what guests write to their disks.
pub const VOLMODE: Option<&str> = if cfg!(target_os = "freebsd") { Some("dev") } else { None };

/// Whether a device that does not come at once may have been lost: on FreeBSD the kernel makes it before the command that asked for
/// it ends, or never.
pub const MAY_BE_LOST: bool = cfg!(target_os = "freebsd");

/// As long as such a device may take.
const PROMPT: Duration = Duration::from_secs(2);

/// What to look at when no device comes.
const ADVICE: &str = if cfg!(target_os = "freebsd") {
    "see that devfs(5) has no rule that hides it"
} else {
    "see that udev runs"
};

/// On Linux udev gives a device its name, and looks what is on it. It lags behind the kernel, more so on a loaded machine,
/// and gives up by itself what takes it longer than this (`event_timeout` in udev.conf(5)).
pub const UDEV_LIMIT: Duration = Duration::from_secs(180);

const AGAIN: Duration = Duration::from_millis(10);

/// Where the device of a volume or snapshot is.
pub fn path(name: &str) -> PathBuf {
    Path::new("/dev/zvol").join(name)
}

/// Waits until the device of a volume is there and can be opened.
///
/// # Errors
/// Where it does not come, or is something else.
pub fn wait(name: &DatasetName) -> Result<PathBuf> {
    let path = path(name.as_str());
    match within(&path, UDEV_LIMIT) {
        Ok(()) => Ok(path),
        Err(why) => bail!(
            "waiting for device {}: expected it within {} s, {why}; {ADVICE} and that volmode of {name} is not none",
            path.display(),
            UDEV_LIMIT.as_secs()
        ),
    }
}

/// Whether the device of a volume comes as soon as one that was not lost does.
pub fn is_prompt(name: &DatasetName) -> bool {
    within(&path(name.as_str()), PROMPT).is_ok()
}

fn within(path: &Path, limit: Duration) -> Result<(), String> {
    let deadline = Instant::now() + limit;
    loop {
        let why = match File::open(path).and_then(|file| file.metadata()) {
            Ok(found) if found.file_type().is_block_device() || found.file_type().is_char_device() => {
                return Ok(());
            }
            Ok(_) => "found something other than a device".to_owned(),
            // The node is there; who may use it is the business of whoever runs the guest.
            Err(error) if error.kind() == ErrorKind::PermissionDenied => return Ok(()),
            Err(error) => error.to_string(),
        };
        if Instant::now() >= deadline {
            return Err(why);
        }
        thread::sleep(AGAIN);
    }
}
