// SPDX-License-Identifier: GPL-3.0-or-later

//! What a user may write as the place of a catalogue.

use std::fmt;
use std::net::Ipv6Addr;
use std::path::PathBuf;

use anyhow::{Context, Error, Result, anyhow, bail, ensure};
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use ureq::http::Uri;

use super::shown;
use crate::path::RelativePath;

/// The place of a catalogue, as written in `repository`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Location {
    /// A folder of this host: an absolute path or `file://`.
    Folder(PathBuf),
    /// A web server: `http://` or `https://`, without the `/` at its end.
    Http(String),
    /// pkg's line protocol over ssh.
    Ssh(SshAddress),
    /// The name of a repository that pkg(8) of this host is configured for.
    Configured(String),
}

/// `ssh://[user@]host[:port][/path]`: safe as arguments of ssh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SshAddress {
    /// The account; ssh's own configuration chooses where this is absent.
    pub user: Option<String>,
    /// A host name or address, without the brackets of an IPv6 address.
    pub host: String,
    /// The port; ssh's own configuration chooses where this is absent.
    pub port: Option<u16>,
    /// Folder of the catalogue below what the server shows; `None` is the top.
    pub folder: Option<RelativePath>,
}

impl TryFrom<String> for Location {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        // One text: serde shows the outermost only.
        parse(&text).map_err(|error| anyhow!("reading repository {:?}: {error:#}", shown(&text)))
    }
}

fn parse(text: &str) -> Result<Location> {
    ensure!(
        !text.is_empty(),
        "it is empty; set it to ssh://USER@HOST, https://HOST/PATH, an absolute path or the name of a repository of pkg(8)"
    );
    ensure!(!text.chars().any(char::is_control), "it holds a control character");
    if text.starts_with('/') {
        return Ok(Location::Folder(PathBuf::from(text)));
    }
    match text.split_once("://") {
        Some(("file", rest)) => parse_file(rest),
        Some(("http" | "https", _)) => parse_http(text),
        Some(("ssh" | "pkg+ssh", rest)) => parse_ssh(rest).map(Location::Ssh),
        Some((scheme, _)) => bail!("{scheme}:// is not served; use a path, file, http, https or ssh"),
        None if is_word(text) => Ok(Location::Configured(text.to_owned())),
        None => bail!("it is not an absolute path, a URL or the name of a repository of pkg(8)"),
    }
}

fn parse_file(rest: &str) -> Result<Location> {
    let path = rest.strip_prefix("localhost").unwrap_or(rest);
    ensure!(path.starts_with('/'), "file:// needs an absolute path: file:///folder");
    let path = percent_decode_str(path).decode_utf8().context("its path is not UTF-8")?;
    ensure!(!path.contains('\0'), "it holds a control character");
    Ok(Location::Folder(PathBuf::from(path.as_ref())))
}

fn parse_http(text: &str) -> Result<Location> {
    let uri: Uri = text.parse().context("it is not a URL")?;
    let authority = uri.authority().context("it names no host")?;
    // Wherever it stands: a password may hold the `/` that seems to end the host.
    ensure!(!text.contains('@'), "it holds a login; use ssh for a catalogue that is not public");
    let (_, port) = authority.as_str().rsplit_once(':').unwrap_or_default();
    ensure!(
        port.is_empty() || port.ends_with(']') || port.parse::<u16>().is_ok_and(|port| port > 0),
        "its port is not from 1 to 65535"
    );
    ensure!(
        uri.query().is_none() && !text.contains('#'),
        "it has a query or a fragment; only a path is used"
    );
    Ok(Location::Http(text.trim_end_matches('/').to_owned()))
}

fn parse_ssh(rest: &str) -> Result<SshAddress> {
    let (authority, folder) = rest.split_once('/').unwrap_or((rest, ""));
    let folder = match folder.trim_matches('/') {
        "" => None,
        folder => Some(folder.parse::<RelativePath>()?),
    };
    let (user, host) = match authority.split_once('@') {
        Some((user, host)) => (Some(user), host),
        None => (None, authority),
    };
    if let Some(user) = user {
        ensure!(!user.contains(':'), "it holds a password; name a key with ssh_key instead");
        ensure!(is_word(user), "{user:?} is not an account name");
    }
    let (host, port) = split_port(host)?;
    let port = port
        .map(|port| port.parse().ok().filter(|port| *port > 0).context("its port is not from 1 to 65535"));
    Ok(SshAddress { user: user.map(str::to_owned), host: host.to_owned(), port: port.transpose()?, folder })
}

fn split_port(text: &str) -> Result<(&str, Option<&str>)> {
    if let Some(inner) = text.strip_prefix('[') {
        let (host, port) = inner.split_once(']').context("its address has no closing bracket")?;
        let (address, zone) = host.split_once('%').map_or((host, None), |(a, z)| (a, Some(z)));
        ensure!(
            address.parse::<Ipv6Addr>().is_ok() && zone.is_none_or(is_word),
            "{host:?} is no IPv6 address"
        );
        return match port.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if port.is_empty() => Ok((host, None)),
            None => bail!("{port:?} after its address is not a port"),
        };
    }
    let (host, port) = text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)));
    ensure!(is_word(host), "{host:?} is not a host name");
    Ok((host, port))
}

/// Letters, digits, `.`, `_` and `-`, starting with a letter, a digit or `_`: never an option.
pub(super) fn is_word(text: &str) -> bool {
    !text.starts_with(['-', '.'])
        && !text.is_empty()
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) => write!(f, "{}", path.display()),
            Self::Http(url) => f.write_str(url),
            Self::Ssh(address) => write!(f, "{address}"),
            Self::Configured(name) => write!(f, "pkg repository {name}"),
        }
    }
}

impl fmt::Display for SshAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ssh://")?;
        if let Some(user) = &self.user {
            write!(f, "{user}@")?;
        }
        match self.host.contains(':') {
            true => write!(f, "[{}]", self.host)?,
            false => f.write_str(&self.host)?,
        }
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        match &self.folder {
            Some(folder) => write!(f, "/{folder}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Location> {
        Location::try_from(text.to_owned())
    }

    #[test]
    fn every_form_is_read() {
        let folder = |path: &str| Location::Folder(PathBuf::from(path));
        let ssh = |user: Option<&str>, host: &str, port, folder: Option<&str>| {
            Location::Ssh(SshAddress {
                user: user.map(str::to_owned),
                host: host.to_owned(),
                port,
                folder: folder.map(|folder| folder.parse::<RelativePath>().unwrap()),
            })
        };
        let table = [
            ("/srv/images", folder("/srv/images")),
            ("file:///srv/my%20images", folder("/srv/my images")),
            ("file://localhost/srv", folder("/srv")),
            ("http://repo.example.org/images/", Location::Http("http://repo.example.org/images".into())),
            ("https://repo:8443", Location::Http("https://repo:8443".into())),
            ("https://[2001:db8::1]/a", Location::Http("https://[2001:db8::1]/a".into())),
            (
                "ssh://images@repo.example.org/images",
                ssh(Some("images"), "repo.example.org", None, Some("images")),
            ),
            ("ssh://repo:2222", ssh(None, "repo", Some(2222), None)),
            ("pkg+ssh://repo/a/b/", ssh(None, "repo", None, Some("a/b"))),
            ("ssh://[2001:db8::1]:22/a", ssh(None, "2001:db8::1", Some(22), Some("a"))),
            ("ssh://[fe80::1%em0]", ssh(None, "fe80::1%em0", None, None)),
            ("images", Location::Configured("images".into())),
        ];
        for (text, expected) in table {
            assert_eq!(parsed(text).unwrap(), expected, "{text}");
        }
        assert_eq!(parsed("ssh://a@[::1]:22/x").unwrap().to_string(), "ssh://a@[::1]:22/x");
    }

    #[test]
    fn what_is_refused_is_explained() {
        let table = [
            (
                "",
                "it is empty; set it to ssh://USER@HOST, https://HOST/PATH, an absolute path or the name of a repository of pkg(8)",
            ),
            ("images/demo", "it is not an absolute path, a URL or the name of a repository of pkg(8)"),
            ("-images", "it is not an absolute path, a URL or the name of a repository of pkg(8)"),
            ("ftp://a/b", "ftp:// is not served; use a path, file, http, https or ssh"),
            ("file://srv/images", "file:// needs an absolute path: file:///folder"),
            ("file:///a%00b", "it holds a control character"),
            ("https://a:b/c", "its port is not from 1 to 65535"),
            ("http://a/b?c", "it has a query or a fragment; only a path is used"),
            ("http://a/b#c", "it has a query or a fragment; only a path is used"),
            ("https://user@a/b", "it holds a login; use ssh for a catalogue that is not public"),
            ("ssh://-oProxyCommand=x/a", "\"-oProxyCommand=x\" is not a host name"),
            ("ssh://-l@host/a", "\"-l\" is not an account name"),
            ("ssh:///a", "\"\" is not a host name"),
            ("ssh://a:b", "its port is not from 1 to 65535"),
            ("ssh://a:0", "its port is not from 1 to 65535"),
            ("ssh://[::1", "its address has no closing bracket"),
            ("ssh://[::g]", "\"::g\" is no IPv6 address"),
            ("ssh://[::1]x", "\"x\" after its address is not a port"),
            ("ssh://a/../b", "\"../b\" is not the path of a file in a repository"),
        ];
        for (text, why) in table {
            let error = format!("{:#}", parsed(text).unwrap_err());
            assert_eq!(error, format!("reading repository {:?}: {why}", shown(text)));
        }
    }
}
