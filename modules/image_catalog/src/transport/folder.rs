// SPDX-License-Identifier: GPL-3.0-or-later

//! A catalogue in a folder of this host.

use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use super::{Opened, Transport};
use crate::path::RelativePath;
use crate::regular;

/// A catalogue in a folder. Links inside it are followed: its owner decides what it holds.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// The catalogue in folder `root`.
    ///
    /// # Errors
    /// Where that is not a folder, which a missing file inside it would not tell.
    pub fn new(root: PathBuf) -> Result<Self> {
        let found =
            std::fs::metadata(&root).with_context(|| format!("opening catalogue {}", root.display()))?;
        ensure!(found.is_dir(), "opening catalogue {}: it is not a folder", root.display());
        Ok(Self(root))
    }
}

impl Transport for Folder {
    fn open(&mut self, path: &RelativePath, from: u64) -> Result<Option<Opened<'_>>> {
        let path = self.0.join(path.as_str());
        let doing = || format!("opening {}", path.display());
        let mut file = match regular::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(doing),
        };
        let found = file.metadata().with_context(doing)?;
        let start = from.min(found.len());
        file.seek(SeekFrom::Start(start)).with_context(doing)?;
        let body: Box<dyn Read + Send> = Box::new(file);
        Ok(Some(Opened { body, start, size: Some(found.len()) }))
    }

    fn place(&self) -> String {
        self.0.display().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::stat::Mode;

    #[test]
    fn files_are_read_from_where_it_was_asked() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("a"), "0123456789").unwrap();
        let mut folder = Folder::new(root.path().to_owned()).unwrap();
        let path = "a".parse::<RelativePath>().unwrap();
        for (from, start, rest) in [(0, 0, "0123456789"), (7, 7, "789"), (10, 10, ""), (99, 10, "")] {
            let mut opened = folder.open(&path, from).unwrap().unwrap();
            let mut text = String::new();
            opened.body.read_to_string(&mut text).unwrap();
            assert_eq!((opened.start, opened.size, text.as_str()), (start, Some(10), rest));
        }
        assert_eq!(folder.read_all(&path, 10).unwrap().unwrap(), b"0123456789");
        assert!(folder.open(&"b".parse::<RelativePath>().unwrap(), 0).unwrap().is_none());
    }

    #[test]
    fn what_is_no_file_is_refused_at_once() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        std::fs::create_dir(at("folder")).unwrap();
        nix::unistd::mkfifo(&at("pipe"), Mode::S_IRWXU).unwrap();
        std::fs::write(at("long"), "0123456789").unwrap();
        let mut folder = Folder::new(root.path().to_owned()).unwrap();
        for name in ["folder", "pipe"] {
            let error = folder.open(&name.parse::<RelativePath>().unwrap(), 0).unwrap_err();
            assert_eq!(format!("{error:#}"), format!("opening {}: it is not a file", at(name).display()));
        }
        let error = folder.read_all(&"long".parse::<RelativePath>().unwrap(), 9).unwrap_err().to_string();
        assert_eq!(
            error,
            format!(
                "reading long of {}: it has 10 bytes, expected at most 9: it seems to be a repository of other packages; give \
                 images one of their own",
                root.path().display()
            )
        );
        let error = Folder::new(at("long")).unwrap_err().to_string();
        assert_eq!(error, format!("opening catalogue {}: it is not a folder", at("long").display()));
    }
}
