// SPDX-License-Identifier: GPL-3.0-or-later

//! `qemu-img`: turns a qcow2 disk into a raw one.

use std::fs::OpenOptions;
use std::path::Path;
use std::time::Duration;

use ansible_module::Tool;
use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::Value;

/// A disk of some TiB on slow storage takes its time; a hanging one must end all the same.
const CONVERT_LIMIT: Duration = Duration::from_secs(12 * 3600);

#[derive(Deserialize)]
struct Info {
    format: String,
    #[serde(rename = "virtual-size")]
    size: u64,
    #[serde(rename = "backing-filename")]
    backing: Option<String>,
    #[serde(rename = "format-specific")]
    specific: Option<Specific>,
}

#[derive(Deserialize)]
struct Specific {
    #[serde(default)]
    data: serde_json::Map<String, Value>,
}

/// Writes the content of a qcow2 disk into the raw file `target`, which is there and empty, leaving holes.
///
/// It gets its size here and is never made by qemu-img, which lives on where this run is killed: a file that was swept
/// meanwhile would come back, and readable by everybody.
pub fn convert(source: &Path, target: &Path) -> Result<()> {
    let tool = Tool::find("qemu-img")?;
    let info = tool.command().args(["info", "--output=json", "-f", "qcow2", "--"]).arg(source).run()?;
    let size = judge(source, &info.stdout)?;
    OpenOptions::new()
        .write(true)
        .open(target)
        .and_then(|file| file.set_len(size))
        .with_context(|| format!("making room for the raw disk in {}", target.display()))?;
    let convert =
        tool.command().args(["convert", "-n", "--target-is-zero", "-f", "qcow2", "-O", "raw", "--"]);
    convert.arg(source).arg(target).time_limit(CONVERT_LIMIT).run()?;
    Ok(())
}

/// The size of a disk that may be converted: a qcow2 file may name any other file of this machine as part of itself, and would
/// then publish it.
fn judge(source: &Path, info: &str) -> Result<u64> {
    let reading = || format!("reading what qemu-img says of {}", source.display());
    let info: Info = serde_json::from_str(info).with_context(reading)?;
    ensure!(info.format == "qcow2", "{} has format {}, expected qcow2", source.display(), info.format);
    let data_file = info.specific.as_ref().and_then(|specific| specific.data.get("data-file"));
    let other = info.backing.as_deref().or(data_file.and_then(Value::as_str));
    ensure!(
        other.is_none(),
        "{} takes data from another file, {}: make it whole with `qemu-img convert -O qcow2` first",
        source.display(),
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
        let source = Path::new("/x.qcow2");
        let plain = info(
            r#""format-specific": {"type": "qcow2", "data": {"compat": "1.1", "lazy-refcounts": false}},"#,
        );
        assert_eq!(judge(source, &plain).unwrap(), 1 << 20);
        for more in [
            r#""backing-filename": "/etc/shadow","#,
            r#""format-specific": {"type": "qcow2", "data": {"data-file": "/etc/shadow", "data-file-raw": true}},"#,
        ] {
            assert_eq!(
                judge(source, &info(more)).unwrap_err().to_string(),
                "/x.qcow2 takes data from another file, /etc/shadow: make it whole with `qemu-img convert -O qcow2` first"
            );
        }
    }
}
