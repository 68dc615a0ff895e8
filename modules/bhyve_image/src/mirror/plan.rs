// SPDX-License-Identifier: GPL-3.0-or-later

//! Decides what to copy and what to remove.

use std::path::Path;

use ansible_module::Diff;
use image_catalog::package::PackageFile;

use super::observe::{Observed, Wanted};

#[derive(Debug)]
pub struct Plan {
    pub fetch: Vec<Missing>,
    /// Whether the lists are to be written.
    pub lists: bool,
    /// Package files to remove afterwards, by their path in the folder.
    pub remove: Vec<String>,
    /// Every package that the mirror has then, by name.
    pub packages: Vec<String>,
    kept: Vec<String>,
}

/// A package to copy.
#[derive(Debug)]
pub struct Missing {
    /// Its name and version.
    pub name: String,
    pub file: PackageFile,
}

pub fn plan(observed: &Observed) -> Plan {
    let (here, missing): (Vec<&Wanted>, Vec<&Wanted>) =
        observed.wanted.iter().partition(|wanted| wanted.here);
    let path = |wanted: &Wanted| wanted.file.path.to_string();
    let mut packages: Vec<_> = observed.wanted.iter().map(|wanted| wanted.name.clone()).collect();
    packages.sort_unstable();
    let copy = |wanted: &Wanted| Missing { name: wanted.name.clone(), file: wanted.file.clone() };
    Plan {
        fetch: missing.into_iter().map(copy).collect(),
        lists: observed.lists_differ,
        remove: observed.others.clone(),
        packages,
        kept: here.into_iter().map(path).collect(),
    }
}

impl Plan {
    /// Whether anything is to be written.
    pub fn changed(&self) -> bool {
        self.lists || !self.fetch.is_empty() || !self.remove.is_empty()
    }

    /// The package files before and after.
    pub fn diff(&self, folder: &Path) -> Diff {
        let text = |paths: Vec<&String>, lists: &str| {
            let mut lines: Vec<_> = paths.into_iter().map(|path| format!("{path}\n")).collect();
            lines.sort_unstable();
            lines.extend(self.lists.then(|| format!("lists: {lists}\n")));
            lines.concat()
        };
        let fetched: Vec<_> = self.fetch.iter().map(|copy| copy.file.path.to_string()).collect();
        Diff {
            before: text(self.kept.iter().chain(&self.remove).collect(), "as copied before"),
            after: text(self.kept.iter().chain(&fetched).collect(), "as they are there now"),
            header: format!("mirror {}", folder.display()),
        }
    }
}
