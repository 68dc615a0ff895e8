// SPDX-License-Identifier: GPL-3.0-or-later

//! Where a source, a list of checksums or a signature is: a file of this host, or one on a web server.

use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ansible_module::open::open_file;
use anyhow::{Context, Result, bail, ensure};
use image_catalog::transport::{Http, HttpOptions, Pace, shown};

/// How long a server may be silent.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long to wait before a broken transfer is taken up again, or a busy server is asked again.
const PAUSE: Duration = Duration::from_secs(2);

/// A place that holds one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    Path(PathBuf),
    Url(String),
}

impl Address {
    /// Whether a text is the URL of something on a web server.
    pub fn is_url(text: &str) -> bool {
        ["http://", "https://"]
            .iter()
            .any(|scheme| text.get(..scheme.len()).is_some_and(|it| it.eq_ignore_ascii_case(scheme)))
    }

    /// Reads an absolute path or a URL.
    pub fn parse(text: &str) -> Result<Self> {
        if text.starts_with('/') {
            return Ok(Self::Path(text.into()));
        }
        if !Self::is_url(text) {
            bail!("{:?} is neither an absolute path nor a URL of http or https", shown(text));
        }
        let doing = || format!("reading the URL {:?}", shown(text));
        ensure!(
            !text.chars().any(|c| c.is_control() || c == ' '),
            "{}: it holds a blank or a control character",
            doing()
        );
        let authority =
            text.split("//").nth(1).unwrap_or_default().split(['/', '?', '#']).next().unwrap_or_default();
        ensure!(!authority.is_empty(), "{}: it names no host", doing());
        ensure!(
            !authority.contains('@'),
            "{}: it holds a login, which would be shown; use a server that needs none",
            doing()
        );
        let (_, port) =
            authority.rsplit_once(':').filter(|(_, port)| !port.ends_with(']')).unwrap_or_default();
        ensure!(port.is_empty() || port.parse::<u16>().is_ok(), "{}: its port is no number", doing());
        let (url, _fragment) = text.split_once('#').unwrap_or((text, ""));
        Ok(Self::Url(url.to_owned()))
    }

    /// The name of the file, as a list of checksums has it.
    pub fn file_name(&self) -> String {
        let last = |text: &str| text.rsplit('/').next().unwrap_or_default().to_owned();
        match self {
            Self::Path(path) => path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            Self::Url(url) => last(url.split('?').next().unwrap_or_default())
                .replace("%2B", "+")
                .replace("%20", " ")
                .replace("%7E", "~"),
        }
    }

    /// All of a small file.
    pub fn read(&self, limit: u64, ca_path: Option<&Path>) -> Result<Vec<u8>> {
        let doing = || format!("reading {self}");
        let mut bytes = Vec::new();
        match self {
            Self::Path(path) => {
                open_file(path)?.take(limit + 1).read_to_end(&mut bytes).with_context(doing)?
            }
            Self::Url(url) => {
                let http = connect(url, ca_path)?;
                http.open_url(url)?
                    .with_context(|| format!("{self} is not there"))?
                    .body
                    .take(limit + 1)
                    .read_to_end(&mut bytes)
                    .with_context(doing)?
            }
        };
        ensure!(
            bytes.len() as u64 <= limit,
            "{}: it has more than {limit} bytes, expected a list or a signature",
            doing()
        );
        Ok(bytes)
    }
}

/// The way to the server of a URL.
pub fn connect(url: &str, ca_path: Option<&Path>) -> Result<Http> {
    let options =
        HttpOptions { ca_path: ca_path.map(Path::to_owned), pace: Pace { patience: PATIENCE }, pause: PAUSE };
    Http::new(url.to_owned(), options)
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => write!(f, "{}", path.display()),
            Self::Url(url) => f.write_str(&shown(url)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_or_refused() {
        let url = |text: &str| Address::Url(text.to_owned());
        assert_eq!(Address::parse("/srv/x.raw").unwrap(), Address::Path("/srv/x.raw".into()));
        assert_eq!(Address::parse("HTTPS://a/b%2Bc.xz#top").unwrap(), url("HTTPS://a/b%2Bc.xz"));
        assert_eq!(url("https://a/b/c%2Bd.raw.xz?token=secret").file_name(), "c+d.raw.xz");
        assert_eq!(url("https://a/b?token=secret").to_string(), "https://a/b?***");
        for (text, expected) in [
            ("ftp://a/b", "\"ftp://a/b\" is neither an absolute path nor a URL of http or https"),
            ("http:///b", "reading the URL \"http:///b\": it names no host"),
            (
                "https://user:secret@a/b",
                "reading the URL \"https://user:***@a/b\": it holds a login, which would be shown; use a server that needs none",
            ),
            ("https://user:se/cret@a/b", "reading the URL \"https://user:***@a/b\": its port is no number"),
            (
                "ftp://user:secret@a/b",
                "\"ftp://user:***@a/b\" is neither an absolute path nor a URL of http or https",
            ),
            ("http://a/b c", "reading the URL \"http://a/b c\": it holds a blank or a control character"),
        ] {
            assert_eq!(Address::parse(text).unwrap_err().to_string(), expected);
        }
    }
}
