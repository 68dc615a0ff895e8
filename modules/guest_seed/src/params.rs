// SPDX-License-Identifier: GPL-3.0-or-later

//! The module's options.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;

use ansible_module::State;
use serde::{Deserialize, Deserializer};

use crate::given_config::GivenConfig;
use crate::values::{
    AccountName, Address, FileMode, FileOwner, GuestName, HostName, InterfaceName, MacAddress, PackageName,
    PasswordHash, PlainPath, Rule, ShellCommand, SshKey, TimeZone,
};

/// What is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Where the seed is.
    pub path: PathBuf,
    /// Whether it shall be there.
    #[serde(default, deserialize_with = "or_default")]
    pub state: State,
    /// Whether the guest boots next for the first time.
    #[serde(default, deserialize_with = "or_default")]
    pub first_boot: bool,
    /// The guest's name.
    pub name: Option<GuestName>,
    /// The name from which its instance id and its MAC addresses follow, where that is not its own.
    pub identity: Option<GuestName>,
    /// Which first-boot program reads the seed.
    #[serde(default, deserialize_with = "or_default")]
    pub family: Family,
    /// Which nuageinit, for family `freebsd`.
    #[serde(default, deserialize_with = "or_default")]
    pub nuageinit: Nuageinit,
    /// Host name; the guest's name where it is absent.
    pub hostname: Option<HostName>,
    /// Addresses of the only network interface; the image's own configuration holds where there is none.
    #[serde(default, deserialize_with = "or_default")]
    pub addresses: Vec<Address>,
    /// IPv4 router of the only interface.
    pub gateway: Option<Ipv4Addr>,
    /// IPv6 router of the only interface.
    pub gateway6: Option<Ipv6Addr>,
    /// Name servers.
    #[serde(default, deserialize_with = "or_default")]
    pub nameservers: Vec<IpAddr>,
    /// Domains in which short names are looked up.
    #[serde(default, deserialize_with = "or_default")]
    pub search: Vec<HostName>,
    /// Largest packet in bytes on the only interface.
    pub mtu: Option<u16>,
    /// By which the only interface is found.
    pub mac: Option<MacAddress>,
    /// The only interface's name.
    pub interface: Option<InterfaceName>,
    /// Every interface, in the order of the domain's; in place of what is said of the only one.
    #[serde(default, deserialize_with = "or_default")]
    pub networks: Vec<Network>,
    /// The network as the guest's program takes it, in place of what is rendered.
    pub network_config: Option<GivenConfig>,
    /// Keys of the users that have none of their own.
    #[serde(default, deserialize_with = "or_default")]
    pub ssh_keys: Vec<SshKey>,
    /// Users; one of the family's own where this is absent.
    pub users: Option<Vec<User>>,
    /// Packages to install.
    #[serde(default, deserialize_with = "or_default")]
    pub packages: Vec<PackageName>,
    /// Commands to run at the end.
    #[serde(default, deserialize_with = "or_default")]
    pub run_commands: Vec<ShellCommand>,
    /// Files to write.
    #[serde(default, deserialize_with = "or_default")]
    pub write_files: Vec<WriteFile>,
    /// Time zone.
    pub timezone: Option<TimeZone>,
    /// User data as it is, in place of what is rendered.
    pub user_data: Option<String>,
}

/// One network interface.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// Its addresses; it is left alone where there is none.
    #[serde(default, deserialize_with = "or_default")]
    pub addresses: Vec<Address>,
    /// IPv4 router.
    pub gateway: Option<Ipv4Addr>,
    /// IPv6 router.
    pub gateway6: Option<Ipv6Addr>,
    /// Largest packet in bytes.
    pub mtu: Option<u16>,
    /// By which it is found.
    pub mac: Option<MacAddress>,
    /// Its name.
    pub interface: Option<InterfaceName>,
}

/// Which first-boot program reads the seed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// FreeBSD's nuageinit.
    #[default]
    FreeBsd,
    /// cloud-init.
    Linux,
}

/// Generations of nuageinit, by the release of FreeBSD that has them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum Nuageinit {
    /// The first one: name, users, keys, and network by MAC address.
    #[default]
    #[serde(rename = "14.1")]
    V14_1,
    /// The one with a network-config file, files, packages and commands.
    #[serde(rename = "15.0")]
    V15_0,
}

/// A user of the guest.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// Login name.
    pub name: AccountName,
    /// Further groups.
    #[serde(default, deserialize_with = "or_default")]
    pub groups: Vec<AccountName>,
    /// Login shell.
    pub shell: Option<PlainPath>,
    /// Keys that may log in.
    #[serde(default, deserialize_with = "or_default")]
    pub ssh_keys: Vec<SshKey>,
    /// Rules for sudo, as in `ALL=(ALL) NOPASSWD:ALL`.
    #[serde(default, deserialize_with = "or_default")]
    pub sudo: Vec<Rule>,
    /// Rules for doas, as in `permit nopass %u`.
    #[serde(default, deserialize_with = "or_default")]
    pub doas: Vec<Rule>,
    /// Password; nobody can log in with one where this is absent.
    pub password_hash: Option<PasswordHash>,
}

/// A file of the guest.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WriteFile {
    /// Where.
    pub path: PlainPath,
    /// What.
    pub content: String,
    /// Whose.
    pub owner: Option<FileOwner>,
    /// With which rights.
    pub permissions: Option<FileMode>,
}

/// An option that is null is one that was not given.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
