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
    let deadline = Instant::now() + UDEV_LIMIT;
    loop {
        let why = match File::open(&path) {
            Ok(file) => {
                let kind = file.metadata()?.file_type();
                if kind.is_block_device() || kind.is_char_device() {
                    return Ok(path);
                }
                "found something else than a device".to_owned()
            }
            // The node is there; who may use it is the business of whoever runs the guest.
            Err(error) if error.kind() == ErrorKind::PermissionDenied => return Ok(path),
            Err(error) => error.to_string(),
        };
        if Instant::now() >= deadline {
            bail!(
                "waiting for device {}: expected it within {} s, {why}; see that udev runs and that volmode of {name} is not none",
                path.display(),
                UDEV_LIMIT.as_secs()
            );
        }
        thread::sleep(AGAIN);
    }
}
