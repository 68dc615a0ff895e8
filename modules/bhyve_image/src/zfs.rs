//! zfs(8): which golden volumes a host has, and who lives on them.

use std::time::Duration;

use ansible_module::Tool;
use anyhow::{Context, Result, ensure};
use serde::Serialize;

/// Listing thousands of snapshots on a busy pool takes seconds.
const LIMIT: Duration = Duration::from_secs(60);

/// A snapshot of a volume below the folder of golden volumes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Golden {
    /// NAME-VERSION, by the name of the volume.
    pub name: String,
    /// The snapshot.
    pub snapshot: String,
    /// Its guid, which is that of the image. Text, because JSON's readers round large numbers.
    pub guid: String,
    /// The volumes cloned from it.
    pub clones: Vec<String>,
}

/// Lists the snapshots of the volumes directly below `dataset`.
///
/// # Errors
/// Where `dataset` is no name of a dataset, zfs is missing, or it does not know the dataset.
pub fn golden(dataset: &str) -> Result<Vec<Golden>> {
    let word = dataset.starts_with(|c: char| c.is_ascii_alphanumeric())
        && dataset.chars().all(|c| c.is_ascii_alphanumeric() || "-_.:/".contains(c));
    ensure!(word, "option `golden` is {dataset:?}, expected a dataset such as zroot/images");
    let list = ["list", "-H", "-p", "-r", "-d", "2", "-t", "snapshot", "-o", "name,guid,clones", dataset];
    let finished = Tool::find("zfs")?
        .command()
        .args(list)
        .time_limit(LIMIT)
        .run()
        .with_context(|| format!("listing golden volumes below {dataset}"))?;
    finished.stdout.lines().filter_map(|line| parse(line, dataset).transpose()).collect()
}

/// Reads a line of `zfs list -H -p -t snapshot -o name,guid,clones`. A snapshot of `dataset` itself is `None`.
fn parse(line: &str, dataset: &str) -> Result<Option<Golden>> {
    let doing = || format!("reading the line {line:?} of zfs list");
    let [snapshot, guid, clones] = line.split('\t').collect::<Vec<_>>()[..] else {
        anyhow::bail!("{}: expected three columns", doing());
    };
    let volume = snapshot.split('@').next().unwrap_or_default();
    let Some(name) = volume.strip_prefix(dataset).and_then(|rest| rest.strip_prefix('/')) else {
        return Ok(None);
    };
    let clones = match clones {
        "" | "-" => Vec::new(),
        clones => clones.split(',').map(str::to_owned).collect(),
    };
    let guid = guid.parse::<u64>().with_context(doing)?.to_string();
    Ok(Some(Golden { name: name.to_owned(), snapshot: snapshot.to_owned(), guid, clones }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_zfs_list() {
        let parsed = |line| parse(line, "zroot/images");
        let used = parsed("zroot/images/web-1@image\t42\tzroot/guests/a,zroot/guests/b").unwrap().unwrap();
        assert_eq!((used.name.as_str(), used.guid.as_str(), used.clones.len()), ("web-1", "42", 2));
        for empty in ["zroot/images/web-1@image\t42\t-", "zroot/images/web-1@image\t42\t"] {
            assert_eq!(parsed(empty).unwrap().unwrap().clones, [""; 0]);
        }
        assert_eq!(parsed("zroot/images@daily\t1\t-").unwrap(), None);
        for (line, why) in [
            ("zroot/images/a@b\t1", "expected three columns"),
            ("zroot/images/a@b\tx\t-", "invalid digit found in string"),
        ] {
            let error = format!("{:#}", parsed(line).unwrap_err());
            assert_eq!(error, format!("reading the line {line:?} of zfs list: {why}"));
        }
    }

    #[test]
    fn a_dataset_is_no_option() {
        for name in ["-r", "", "a b"] {
            let error = golden(name).unwrap_err().to_string();
            assert_eq!(
                error,
                format!("option `golden` is {name:?}, expected a dataset such as zroot/images")
            );
        }
    }
}
