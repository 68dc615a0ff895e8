// SPDX-License-Identifier: GPL-3.0-or-later

//! Values that a first-boot program hands on to shells and configuration files: whoever holds one knows that it is harmless.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use serde::Deserialize;

/// Defines a text that has passed a check: `name`, what it is called in errors, the check, and what is expected.
macro_rules! checked_text {
    ($(#[$doc:meta])* $name:ident, $what:literal, $check:expr, $expected:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(String);

        impl TryFrom<String> for $name {
            type Error = String;

            fn try_from(text: String) -> Result<Self, String> {
                let check: fn(&str) -> bool = $check;
                if check(&text) {
                    return Ok(Self(text));
                }
                let shown: String = text.chars().take(40).collect();
                Err(format!(concat!("invalid ", $what, " {:?}: expected ", $expected), shown))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

checked_text!(
    /// The name of a guest, as its domain has it.
    GuestName, "name of a guest", |text| {
        (1..=200).contains(&text.len())
            && text.trim() == text
            && !text.starts_with(['.', '-'])
            && !text.chars().any(|c| c == '/' || c.is_control())
    },
    "1 to 200 bytes without slash, control character or space at an end, not beginning with a dot or dash"
);

checked_text!(
    /// A host name, with or without domain (RFC 1123).
    HostName, "host name", is_host_name,
    "labels of 1 to 63 letters, digits and inner dashes, joined by dots, 253 characters in all, as in web1.example.org"
);

checked_text!(
    /// A user or group.
    AccountName, "user or group name", |text| {
        text.len() <= 32
            && text.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
            && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "_.-".contains(c))
    },
    "at most 32 of a-z, 0-9, '_', '.', '-', beginning with a letter or '_'"
);

checked_text!(
    /// A path from the root whose letters no shell takes for anything else.
    PlainPath, "path", |text| {
        text.starts_with('/')
            && !text.ends_with('/')
            && text.chars().all(|c| c.is_ascii_alphanumeric() || "/_.+@-".contains(c))
            && !text.split('/').any(|part| part == "..")
    },
    "an absolute path of letters, digits, '_', '.', '+', '@', '-', without '..'"
);

checked_text!(
    /// A package, as the guest's package manager takes it.
    PackageName, "package name", |text| {
        text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || "_.+:~@/=-".contains(c))
    },
    "letters, digits and any of _ . + : ~ @ / = -, beginning with a letter or digit"
);

checked_text!(
    /// A time zone of the tz database.
    TimeZone, "time zone", |text| {
        text.starts_with(|c: char| c.is_ascii_alphabetic())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || "_+/-".contains(c))
    },
    "a name of the tz database, as in Europe/Berlin"
);

checked_text!(
    /// A network interface, as the guest calls it.
    InterfaceName, "interface name", |text| {
        text.len() <= 15
            && text.starts_with(|c: char| c.is_ascii_alphabetic())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
    },
    "at most 15 letters, digits, '_', '.', '-', beginning with a letter, as in vtnet0"
);

checked_text!(
    /// A line of an authorized_keys file.
    SshKey, "SSH public key", is_ssh_key,
    "one whole line of a file that ssh-keygen has written, such as ~/.ssh/id_ed25519.pub; neither dots in place of the key nor a private key"
);

checked_text!(
    /// A rule for sudo or doas.
    Rule, "rule", is_one_line, "one line of printable text"
);

checked_text!(
    /// A command for the guest's shell.
    ShellCommand, "command", |text| !text.trim().is_empty() && !text.contains('\0'), "a command, without NUL"
);

checked_text!(
    /// The rights of a file.
    FileMode, "file mode", |text| {
        (4..=5).contains(&text.len()) && text.starts_with('0') && text.bytes().all(|b| matches!(b, b'0'..=b'7'))
    },
    "octal digits beginning with 0, in quotes, as in \"0644\""
);

checked_text!(
    /// The owner of a file, with or without group.
    FileOwner, "file owner", |text| {
        text.splitn(2, ':').all(|part| AccountName::try_from(part.to_owned()).is_ok())
    },
    "a user, or user and group as in www:www"
);

/// A password, hashed as crypt(3) does. Never shown.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct PasswordHash(String);

impl PasswordHash {
    /// The secret itself.
    pub fn secret(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for PasswordHash {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let letters = |c: char| c.is_ascii_alphanumeric() || "$./=,_-".contains(c);
        if text.len() >= 20 && text.starts_with('$') && text.chars().all(letters) {
            return Ok(Self(text));
        }
        Err("this is not a password hash: expected one as crypt(3) makes it, beginning with $; \
             make it with `openssl passwd -6` or the filter password_hash")
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(not shown)")
    }
}

/// A hardware address of one interface, in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct MacAddress(String);

impl TryFrom<String> for MacAddress {
    type Error = String;

    /// Upper case is put right: nuageinit compares with the lower-case address of the interface.
    fn try_from(text: String) -> Result<Self, String> {
        let lower = text.to_ascii_lowercase();
        let octets: Vec<_> = lower.split(':').collect();
        let is_octet = |octet: &&str| octet.len() == 2 && octet.bytes().all(|b| b.is_ascii_hexdigit());
        // The lowest bit of the first octet marks a group address.
        let single =
            octets.first().and_then(|first| u8::from_str_radix(first, 16).ok()).is_some_and(|o| o & 1 == 0);
        if octets.len() == 6 && octets.iter().all(is_octet) && single {
            return Ok(Self(lower));
        }
        Err(format!(
            "invalid MAC address {text:?}: expected the address of one interface, as in 58:9c:fc:00:00:01"
        ))
    }
}

impl fmt::Display for MacAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What an interface gets its address from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Address {
    /// An IPv4 address by DHCP.
    Dhcp,
    /// An IPv6 address by DHCP, and the router by its advertisements.
    Dhcp6,
    /// IPv6 addresses and the router by router advertisements.
    Advertised,
    /// This one.
    Fixed(IpNet),
}

impl TryFrom<String> for Address {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "dhcp" | "dhcp4" => return Ok(Address::Dhcp),
            "dhcp6" => return Ok(Address::Dhcp6),
            "ra" => return Ok(Address::Advertised),
            _ => {}
        }
        if let Ok(address) = text.parse::<IpAddr>() {
            let (length, kind) = if address.is_ipv4() { (24, "IPv4") } else { (64, "IPv6") };
            return Err(format!(
                "address {text:?} has no prefix length: write {text}/{length} if the {kind} network has that size"
            ));
        }
        let net: IpNet = text.parse().map_err(|_| {
            format!("invalid address {text:?}: expected dhcp, dhcp6, ra or an address with prefix, as in 192.0.2.11/24")
        })?;
        let address = net.addr();
        let last = if net.addr().is_ipv4() { 30 } else { 126 };
        if net.prefix_len() <= last
            && (address == net.network() || (address.is_ipv4() && address == net.broadcast()))
        {
            return Err(format!(
                "address {text:?} is the network's own or its broadcast address: expected a host's, as in 192.0.2.11/24"
            ));
        }
        if address.is_unspecified() || address.is_multicast() {
            return Err(format!("address {text:?} cannot be an interface's"));
        }
        Ok(Address::Fixed(net))
    }
}

fn is_host_name(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    text.len() <= 253 && text.split('.').all(is_label)
}

fn is_one_line(text: &str) -> bool {
    !text.trim().is_empty() && text.chars().all(|c| matches!(c, ' '..='~'))
}

fn is_ssh_key(text: &str) -> bool {
    // The type may follow options; a private key begins with dashes. Documentation shortens keys with dots.
    is_one_line(text)
        && !text.starts_with('-')
        && text.split(' ').zip(text.split(' ').skip(1)).any(|(kind, key)| {
            (kind.starts_with("ssh-") || kind.starts_with("ecdsa-") || kind.starts_with("sk-"))
                && key.starts_with("AAAA")
                && key.chars().all(|c| c.is_ascii_alphanumeric() || "+/=".contains(c))
        })
}

#[cfg(test)]
mod tests;
