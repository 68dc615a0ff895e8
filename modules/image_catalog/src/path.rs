// SPDX-License-Identifier: GPL-3.0-or-later

//! Paths below the root of a repository: never absolute, never upwards, nothing a URL or a protocol line minds.

use std::fmt;
use std::path::Path;

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

/// The path of a file in a repository, such as `data.pkg` or `All/demo-1.0.pkg`.
///
/// Components of letters, digits, `.`, `_`, `-`, `+`, `~`, `,`, `@` and `$` (`pkg repo --hash` puts checksums into names), none of
/// them starting with a `.` or `-`: it can be joined to a folder, put into a URL or sent as a line of pkg's ssh protocol as it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RelativePath(String);

impl RelativePath {
    /// A path of this crate's own.
    pub(crate) fn fixed(text: &'static str) -> Self {
        debug_assert!(text.split('/').all(is_component));
        Self(text.to_owned())
    }

    /// Two components that are known to be harmless.
    pub(crate) fn joined(folder: &'static str, name: &str) -> Self {
        debug_assert!(is_component(folder) && is_component(name));
        Self(format!("{folder}/{name}"))
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What comes after the last `/`.
    pub fn file_name(&self) -> &str {
        self.0.rsplit_once('/').map_or(self.0.as_str(), |(_, name)| name)
    }
}

impl TryFrom<String> for RelativePath {
    type Error = anyhow::Error;

    fn try_from(text: String) -> Result<Self> {
        ensure!(
            text.len() <= 1024 && text.split('/').all(is_component),
            "{text:?} is not the path of a file in a repository"
        );
        Ok(Self(text))
    }
}

impl std::str::FromStr for RelativePath {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::try_from(text.to_owned())
    }
}

impl From<RelativePath> for String {
    fn from(path: RelativePath) -> Self {
        path.0
    }
}

impl AsRef<Path> for RelativePath {
    fn as_ref(&self) -> &Path {
        Path::new(&self.0)
    }
}

impl fmt::Display for RelativePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_component(component: &str) -> bool {
    !component.is_empty()
        && !component.starts_with(['.', '-'])
        && component
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '+' | '~' | ',' | '@' | '$'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_what_pkg_writes() {
        for text in ["meta.conf", "All/demo-1.0-20261122.pkg", "All/Hashed/gtk+-3.0,1~2$xpz6h6b5.pkg"] {
            assert_eq!(text.parse::<RelativePath>().unwrap().as_str(), text);
        }
    }

    #[test]
    fn refuses_ways_out() {
        for text in
            ["", "/etc/passwd", "../x", "All/../../x", "All//x", "All/", "./x", "a b", "-o", "a\nb", "a%2e"]
        {
            let error = text.parse::<RelativePath>().unwrap_err().to_string();
            assert_eq!(error, format!("{text:?} is not the path of a file in a repository"));
        }
    }
}
