//! Device nodes of volumes: where they are, whether they are there, who uses them. Reads only.

use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use nix::errno::Errno;
use nix::libc::O_EXCL;

use super::name::DatasetName;

/// On Linux the name comes from udev, which lags behind the kernel, more so on a loaded machine.
const LIMIT: Duration = Duration::from_secs(60);
const AGAIN: Duration = Duration::from_millis(10);

/// udev opens a fresh volume for a moment to look what is on it.
const GLANCE: Duration = Duration::from_secs(3);

/// Where the device of a volume is.
pub fn path(name: &DatasetName) -> PathBuf {
    Path::new("/dev/zvol").join(name.as_str())
}

/// Waits until the device of a volume is there and can be opened.
///
/// # Errors
/// Where it does not come, or is something else.
pub fn wait(name: &DatasetName) -> Result<PathBuf> {
    let path = path(name);
    let deadline = Instant::now() + LIMIT;
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
                LIMIT.as_secs()
            );
        }
        thread::sleep(AGAIN);
    }
}

/// Who has the device of a volume open, if anybody has for longer than a glance.
///
/// `zfs destroy -r` on such a volume fails only after it has destroyed the snapshots (OpenZFS 2.3), and `zfs rename` does not
/// fail at all: both must be known before.
pub fn user(name: &DatasetName) -> Option<String> {
    let path = path(name);
    let deadline = Instant::now() + GLANCE;
    loop {
        let user = opener(&path)?;
        if Instant::now() >= deadline {
            return Some(user);
        }
        thread::sleep(AGAIN);
    }
}

fn opener(path: &Path) -> Option<String> {
    // Refused on FreeBSD while anybody has it open, on Linux while the kernel itself uses it: mounted, mapped.
    let exclusive = OpenOptions::new().read(true).custom_flags(O_EXCL).open(path);
    if let Err(error) = &exclusive
        && error.raw_os_error() == Some(Errno::EBUSY as i32)
    {
        return Some(
            process_with(path).unwrap_or_else(|| "the system itself, for a mount or a mapping".to_owned()),
        );
    }
    drop(exclusive);
    process_with(path)
}

/// The process that has a device open, as far as `/proc` shows it to this user.
fn process_with(path: &Path) -> Option<String> {
    let device = fs::metadata(path).ok()?.rdev();
    let numbers = fs::read_dir("/proc")
        .ok()?
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    for number in numbers.filter(|number| *number != std::process::id()) {
        // Processes come and go meanwhile, and those of others may be hidden.
        let Ok(files) = fs::read_dir(format!("/proc/{number}/fd")) else { continue };
        let uses = |file: fs::DirEntry| {
            fs::metadata(file.path()).is_ok_and(|file| file.rdev() == device && device != 0)
        };
        if files.flatten().any(uses) {
            let name = fs::read_to_string(format!("/proc/{number}/comm")).unwrap_or_default();
            return Some(format!("process {number} ({})", name.trim()));
        }
    }
    None
}
