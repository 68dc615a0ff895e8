// SPDX-License-Identifier: GPL-3.0-or-later

//! `qemu-img`: turns disks in forms of their own into raw ones.

use std::fs::{File, OpenOptions};
use std::path::Path;
use std::time::Duration;

use ansible_module::Tool;
use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde_json::Value;

use crate::contents::{Container, Glimpse};
use crate::whole;

/// A disk of some TiB on slow storage takes its time; a hanging one must end all the same.
const CONVERT_LIMIT: Duration = Duration::from_secs(12 * 3600);

/// What `qemu-img check` ends with where it found nothing that matters: nothing at all, space that is lost, or that it cannot
/// check disks of this form.
const SOUND: [i32; 3] = [0, 3, 63];

#[derive(Deserialize)]
struct Info {
    format: String,
    #[serde(rename = "virtual-size")]
    size: u64,
    #[serde(rename = "backing-filename")]
    backing: Option<String>,
    #[serde(rename = "format-specific")]
    specific: Option<Specific>,
    #[serde(default)]
    encrypted: bool,
}

#[derive(Deserialize)]
struct Specific {
    #[serde(default)]
    data: serde_json::Map<String, Value>,
}

/// A disk in a form of its own.
pub struct Packed<'a> {
    /// Where it is.
    pub path: &'a Path,
    pub container: Container,
    /// What a message calls it.
    pub called: &'a str,
}

/// Writes the content of a disk into the raw file `target`, which is there and empty, leaving holes.
///
/// It gets its size here and is never made by qemu-img, which lives on where this run is killed: a file that was swept
/// meanwhile would come back, and readable by everybody.
///
/// Gives what a publisher should know of the disk.
pub fn convert(disk: &Packed<'_>, target: &Path) -> Result<Option<String>> {
    let Packed { path, container, called } = disk;
    let file = File::open(path).with_context(|| format!("opening {called}"))?;
    let glimpse = Glimpse::of(&file).with_context(|| format!("reading {called}"))?;
    let remark = whole::judge(*container, &file, &glimpse).with_context(|| format!("reading {called}"))?;
    let tool = Tool::find("qemu-img")?;
    let driver = container.driver();
    let damaged = |doing: &str| {
        format!(
            "{doing} {called}: it is damaged, perhaps a download that was cut short, or a guest has it open"
        )
    };
    let info = tool.command().args(["info", "--output=json", "-f", driver, "--"]).arg(path).run();
    let info = info.with_context(|| damaged("opening"))?;
    let size = judge(disk, &info.stdout)?;
    let check = tool.command().args(["check", "-q", "-f", driver, "--"]).arg(path);
    let checked = check.time_limit(CONVERT_LIMIT).output()?;
    if !SOUND.contains(&checked.rc()) {
        let failure = checked.failure();
        bail!(anyhow::Error::new(failure).context(damaged("checking")));
    }
    OpenOptions::new()
        .write(true)
        .open(target)
        .and_then(|file| file.set_len(size))
        .with_context(|| format!("making room for the raw disk in {}", target.display()))?;
    let convert = tool.command().args(["convert", "-n", "--target-is-zero", "-f", driver, "-O", "raw", "--"]);
    convert.arg(path).arg(target).time_limit(CONVERT_LIMIT).run()?;
    Ok(remark.map(|remark| format!("{called} {remark}")))
}

/// The size of a disk that may be converted: it may name any other file of this machine as part of itself, and would
/// then publish it.
fn judge(disk: &Packed<'_>, info: &str) -> Result<u64> {
    let Packed { path, container, called } = disk;
    let info: Info =
        serde_json::from_str(info).with_context(|| format!("reading what qemu-img says of {called}"))?;
    let driver = container.driver();
    ensure!(info.format == driver, "{called} has format {}, expected {driver}", info.format);
    ensure!(
        !info.encrypted,
        "{called} is encrypted: publish what is in it, decrypted with `qemu-img convert` first"
    );
    let text = |key: &str| {
        info.specific.as_ref().and_then(|specific| specific.data.get(key)).and_then(Value::as_str)
    };
    let extents =
        info.specific.as_ref().and_then(|specific| specific.data.get("extents")).and_then(Value::as_array);
    let own = path.to_str();
    let extent = extents.into_iter().flatten().filter_map(|extent| extent.get("filename")?.as_str());
    let other = info
        .backing
        .as_deref()
        .or(text("data-file"))
        .or_else(|| extent.into_iter().find(|it| Some(*it) != own));
    ensure!(
        other.is_none(),
        "{called} takes data from another file, {}: make it whole with `qemu-img convert -O qcow2` first",
        other.unwrap_or_default()
    );
    Ok(info.size)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `qemu-img info --output=json -f qcow2` (10.0.2), shortened to the keys around those that are read.
    fn info(more: &str) -> String {
        format!(
            r#"{{"virtual-size": 1048576, "filename": "x.qcow2", "cluster-size": 65536, "format": "qcow2",
            "actual-size": 200704, {more} "dirty-flag": false}}"#
        )
    }

    #[test]
    fn disks_that_refer_to_other_files_are_refused() {
        let source = Packed { path: Path::new("/x.qcow2"), container: Container::Qcow2, called: "/x.qcow2" };
        let plain = info(
            r#""format-specific": {"type": "qcow2", "data": {"compat": "1.1", "lazy-refcounts": false}},"#,
        );
        assert_eq!(judge(&source, &plain).unwrap(), 1 << 20);
        for more in [
            r#""backing-filename": "/etc/shadow","#,
            r#""format-specific": {"type": "qcow2", "data": {"data-file": "/etc/shadow", "data-file-raw": true}},"#,
            r#""format-specific": {"type": "vmdk", "data": {"extents": [{"filename": "/x.qcow2"}, {"filename": "/etc/shadow"}]}},"#,
        ] {
            assert_eq!(
                judge(&source, &info(more)).unwrap_err().to_string(),
                "/x.qcow2 takes data from another file, /etc/shadow: make it whole with `qemu-img convert -O qcow2` first"
            );
        }
        let encrypted = judge(&source, &info(r#""encrypted": true,"#)).unwrap_err().to_string();
        assert!(encrypted.starts_with("/x.qcow2 is encrypted: "), "{encrypted}");
    }
}
