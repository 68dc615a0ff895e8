//! `qemu-img`: turns a qcow2 disk into a raw one.

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

/// Writes the content of a qcow2 disk into the raw file `target`, leaving holes.
pub fn convert(source: &Path, target: &Path) -> Result<()> {
    let tool = Tool::find("qemu-img")?;
    let info = tool.command().args(["info", "--output=json", "-f", "qcow2", "--"]).arg(source).run()?;
    refuse_references(source, &info.stdout)?;
    let convert = tool.command().args(["convert", "-f", "qcow2", "-O", "raw", "--"]);
    convert.arg(source).arg(target).time_limit(CONVERT_LIMIT).run()?;
    Ok(())
}

/// A qcow2 file may name any other file of this machine as part of itself, and would then publish it.
fn refuse_references(source: &Path, info: &str) -> Result<()> {
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
    Ok(())
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
        refuse_references(source, &plain).unwrap();
        for more in [
            r#""backing-filename": "/etc/shadow","#,
            r#""format-specific": {"type": "qcow2", "data": {"data-file": "/etc/shadow", "data-file-raw": true}},"#,
        ] {
            assert_eq!(
                refuse_references(source, &info(more)).unwrap_err().to_string(),
                "/x.qcow2 takes data from another file, /etc/shadow: make it whole with `qemu-img convert -O qcow2` first"
            );
        }
    }
}
