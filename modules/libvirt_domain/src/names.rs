// SPDX-License-Identifier: GPL-3.0-or-later

//! Names that reach libvirt: of a domain, and of the hypervisor's connection.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Longest name of a domain: libvirt makes file names of it with a suffix of its own.
const LONGEST: usize = 200;

/// The name of a domain: one that libvirt can make file names of.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct DomainName(String);

impl DomainName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for DomainName {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let reason = if name.is_empty() {
            "it is empty"
        } else if name.len() > LONGEST {
            "it is longer than 200 bytes"
        } else if name.trim() != name {
            "it begins or ends with a space"
        } else if name.starts_with('.') || name.starts_with('-') {
            "it begins with a dot or a dash"
        } else if name.contains('/') {
            "it contains a slash"
        } else if name.chars().any(char::is_control) {
            "it contains a control character"
        } else {
            return Ok(Self(name));
        };
        let shown: String = name.chars().take(40).collect();
        Err(format!("invalid domain name {shown:?}: {reason}"))
    }
}

impl From<DomainName> for String {
    fn from(name: DomainName) -> Self {
        name.0
    }
}

impl fmt::Display for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A libvirt connection URI, as in `qemu:///system`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct ConnectUri(String);

impl ConnectUri {
    /// The URI as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The driver: `bhyve`, `qemu`, `test`.
    pub fn driver(&self) -> &str {
        let scheme = self.0.split_once(':').map_or("", |(scheme, _)| scheme);
        scheme.split_once('+').map_or(scheme, |(driver, _)| driver)
    }

    /// Whether the hypervisor is this very machine, so that its disks and bridges can be looked at.
    pub fn is_this_machine(&self) -> bool {
        self.0.contains(":///") && self.driver() != "test"
    }

    /// Its path, as in `/system`, `/session`.
    pub fn path(&self) -> &str {
        let rest = self.0.split_once("://").map_or("", |(_, rest)| rest);
        let path = rest.find('/').map_or("", |at| &rest[at..]);
        path.split_once('?').map_or(path, |(path, _)| path)
    }

    /// The socket of the daemon, where one is named.
    pub fn socket(&self) -> Option<&str> {
        let (_, options) = self.0.split_once('?')?;
        options.split('&').find_map(|option| option.strip_prefix("socket="))
    }
}

impl Default for ConnectUri {
    fn default() -> Self {
        let uri = if cfg!(target_os = "freebsd") { "bhyve:///system" } else { "qemu:///system" };
        Self(uri.to_owned())
    }
}

impl TryFrom<String> for ConnectUri {
    type Error = String;

    fn try_from(uri: String) -> Result<Self, String> {
        let scheme = uri.split_once(":/").map(|(scheme, _)| scheme).filter(|scheme| !scheme.is_empty());
        let scheme_is_plain =
            scheme.is_some_and(|scheme| scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+'));
        if !scheme_is_plain || uri.chars().any(char::is_control) {
            return Err(format!("invalid libvirt URI {uri:?}: expected one such as qemu:///system"));
        }
        Ok(Self(uri))
    }
}

impl fmt::Display for ConnectUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_libvirt_cannot_keep_are_refused() {
        let long = "x".repeat(201);
        let cases = [
            ("", "invalid domain name \"\": it is empty"),
            ("a/b", "invalid domain name \"a/b\": it contains a slash"),
            (".hidden", "invalid domain name \".hidden\": it begins with a dot or a dash"),
            ("-c", "invalid domain name \"-c\": it begins with a dot or a dash"),
            ("a\nb", "invalid domain name \"a\\nb\": it contains a control character"),
            ("a\0", "invalid domain name \"a\\0\": it contains a control character"),
            (" a", "invalid domain name \" a\": it begins or ends with a space"),
        ];
        for (name, message) in cases {
            assert_eq!(DomainName::try_from(name.to_owned()), Err(message.to_owned()));
        }
        assert!(DomainName::try_from(long).is_err());
        for name in ["web1", "my guest", "größe", "a.b-c_d"] {
            assert_eq!(DomainName::try_from(name.to_owned()).unwrap().as_str(), name);
        }
    }

    #[test]
    fn a_uri_tells_driver_and_place() {
        let cases = [
            ("qemu:///system", "qemu", true, "/system", None),
            ("qemu+unix:///system?mode=direct&socket=/run/x", "qemu", true, "/system", Some("/run/x")),
            ("bhyve:///system", "bhyve", true, "/system", None),
            ("qemu+ssh://hv1.example.org/session?no_tty=1", "qemu", false, "/session", None),
            ("test:///default", "test", false, "/default", None),
        ];
        for (text, driver, here, path, socket) in cases {
            let uri = ConnectUri::try_from(text.to_owned()).unwrap();
            let found = (uri.driver(), uri.is_this_machine(), uri.path(), uri.socket());
            assert_eq!(found, (driver, here, path, socket), "{text}");
        }
        for text in ["", "qemu", "://", "qe mu:///system", "qemu:///a\0b"] {
            let message = format!("invalid libvirt URI {text:?}: expected one such as qemu:///system");
            assert_eq!(ConnectUri::try_from(text.to_owned()), Err(message));
        }
    }
}
