// SPDX-License-Identifier: GPL-3.0-or-later

//! libvirt: connections, and looking for and defining domains. No policy.

use std::fmt;

use anyhow::Result;
use virt::connect::Connect;
use virt::error::{ErrorNumber, clear_error_callback};

use crate::errors::explained;
use crate::guest::Guest;
use crate::names::{ConnectUri, DomainName};

/// A connection to a hypervisor.
pub struct Hypervisor {
    connection: Connect,
    uri: ConnectUri,
}

impl Hypervisor {
    /// Connects.
    ///
    /// # Errors
    /// Where the library, the daemon or the permission is missing: one line with what to do.
    pub fn open(uri: &ConnectUri) -> Result<Self> {
        clear_error_callback();
        match Connect::open(Some(uri.as_str())) {
            Ok(connection) => Ok(Self { connection, uri: uri.clone() }),
            Err(error) => Err(explained(&error, format_args!("connecting to {uri}"))),
        }
    }

    pub(crate) fn connection(&self) -> &Connect {
        &self.connection
    }

    /// Where this is.
    pub fn uri(&self) -> &ConnectUri {
        &self.uri
    }

    /// The domain of that name, if there is one.
    ///
    /// # Errors
    /// Where libvirt cannot tell.
    pub fn guest(&self, name: &DomainName) -> Result<Option<Guest>> {
        match self.connection.lookup_domain_by_name(name.as_str()) {
            Ok(domain) => Ok(Some(Guest::new(domain))),
            Err(error) if error.code().is(ErrorNumber::NoDomain) => Ok(None),
            Err(error) => Err(explained(&error, format_args!("looking for domain {name}"))),
        }
    }

    /// Every domain, running or not.
    ///
    /// # Errors
    /// Where libvirt cannot list them.
    pub fn guests(&self) -> Result<Vec<Guest>> {
        let all = self.connection.list_all_domains(0);
        let domains = all.map_err(|error| explained(&error, "listing the domains"))?;
        Ok(domains.into_iter().map(Guest::new).collect())
    }

    /// Memory of the host in bytes.
    ///
    /// # Errors
    /// Where libvirt cannot tell.
    pub fn host_memory(&self) -> Result<u64> {
        let node = self.connection.node_info();
        Ok(node
            .map_err(|error| explained(&error, "asking for the host's memory"))?
            .memory
            .saturating_mul(1024))
    }

    /// Processors of the host. vmm(4) gives no guest more than that (`hw.vmm.maxcpu`).
    ///
    /// # Errors
    /// Where libvirt cannot tell.
    pub fn host_processors(&self) -> Result<u32> {
        let node = self.connection.node_info();
        Ok(node.map_err(|error| explained(&error, "asking for the host's processors"))?.cpus)
    }

    /// The command lines that bhyve's driver would run for this definition; it touches nothing.
    ///
    /// # Errors
    /// Where bhyve cannot run it: libvirt's own words.
    pub fn bhyve_commands(&self, xml: &str) -> Result<String> {
        let commands = self.connection.domain_xml_to_native("bhyve-argv", xml, 0);
        commands.map_err(|error| explained(&error, "translating the definition into bhyve's arguments"))
    }

    /// Defines a domain, or defines it anew.
    ///
    /// # Errors
    /// Where libvirt refuses the XML.
    pub fn define(&self, name: &DomainName, xml: &str) -> Result<Guest> {
        match self.connection.define_domain_xml(xml) {
            Ok(domain) => Ok(Guest::new(domain)),
            Err(error) => Err(explained(&error, format_args!("defining domain {name}"))),
        }
    }

    /// The version of the daemon, as in 11.3.0.
    ///
    /// # Errors
    /// Where libvirt cannot tell.
    pub fn version(&self) -> Result<Version> {
        let number = self.connection.lib_version();
        number.map(Version).map_err(|error| explained(&error, "asking for libvirt's version"))
    }
}

/// A version of libvirt as libvirt counts: 11003000 is 11.3.0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32);

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(number) = self;
        write!(f, "{}.{}.{}", number / 1_000_000, number / 1_000 % 1_000, number % 1_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activity::Activity;

    #[test]
    fn the_test_driver_is_reached_and_answers() {
        let uri = ConnectUri::try_from("test:///default".to_owned()).unwrap();
        let hypervisor = Hypervisor::open(&uri).unwrap();
        let names: Vec<_> = hypervisor.guests().unwrap().iter().map(|guest| guest.name().unwrap()).collect();
        assert_eq!(names, ["test"]);
        let test = hypervisor.guest(&DomainName::try_from("test".to_owned()).unwrap()).unwrap().unwrap();
        assert_eq!(test.uuid().unwrap().to_string(), "6695eb01-f6a4-8304-79aa-97f2502e193f");
        assert_eq!((test.activity().unwrap(), test.is_persistent().unwrap()), (Activity::Running, true));
        let none = DomainName::try_from("none".to_owned()).unwrap();
        assert!(hypervisor.guest(&none).unwrap().is_none());
    }

    #[test]
    fn a_daemon_that_is_not_there_is_told_with_what_to_do() {
        let uri = ConnectUri::try_from("qemu+unix:///system?socket=/nowhere/sock".to_owned()).unwrap();
        let error = Hypervisor::open(&uri).map(drop).unwrap_err();
        assert_eq!(
            error.to_string(),
            "connecting to qemu+unix:///system?socket=/nowhere/sock: Failed to connect socket to '/nowhere/sock': \
             No such file or directory; start the daemon (Debian: systemctl start libvirtd; FreeBSD: service libvirtd start)"
        );
    }
}
