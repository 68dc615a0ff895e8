//! Who a guest is: UUID and MAC addresses that follow from its name, so that a redeploy keeps them and two never share one.

use uuid::Uuid;

use crate::names::{ConnectUri, DomainName};

/// The namespace of our version 5 UUIDs; made once at random, never to be changed.
const NAMESPACE: Uuid = Uuid::from_u128(0x5c0f_3e0a_8d1b_4b62_9c55_7f2e_61d0_a9b4);

/// The UUID of the guest of this name.
pub fn uuid_of(name: &DomainName) -> Uuid {
    Uuid::new_v5(&NAMESPACE, name.as_str().as_bytes())
}

/// The MAC address of the `index`-th network interface, from 0, of the guest of this name.
///
/// On bhyve it lies in FreeBSD's block 58:9c:fc, above the range 58:9c:fc:10 from which the kernel itself draws addresses for
/// bridges and epairs; elsewhere in 52:54:00, as qemu's are.
pub fn mac_of(name: &DomainName, index: usize, uri: &ConnectUri) -> String {
    // A slash cannot be in a name, so no other guest's name leads here.
    let seed = Uuid::new_v5(&NAMESPACE, format!("{name}/{index}").as_bytes());
    let [a, b, c, ..] = seed.into_bytes();
    if uri.driver() == "bhyve" {
        let a = 0x20 + (u16::from(a) * 0xe0 / 0x100) as u8;
        format!("58:9c:fc:{a:02x}:{b:02x}:{c:02x}")
    } else {
        format!("52:54:00:{a:02x}:{b:02x}:{c:02x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn name(name: &str) -> DomainName {
        DomainName::try_from(name.to_owned()).unwrap()
    }

    fn uri(uri: &str) -> ConnectUri {
        ConnectUri::try_from(uri.to_owned()).unwrap()
    }

    /// These must never change: guests out there have them.
    #[test]
    fn identities_are_for_good() {
        let (web1, qemu, bhyve) = (name("web1"), uri("qemu:///system"), uri("bhyve:///system"));
        assert_eq!(uuid_of(&web1).to_string(), "06f7ab89-0554-5e2c-9836-192821f92039");
        assert_eq!(mac_of(&web1, 0, &qemu), "52:54:00:9d:41:71");
        assert_eq!(mac_of(&web1, 1, &qemu), "52:54:00:27:16:f8");
        assert_eq!(mac_of(&web1, 0, &bhyve), "58:9c:fc:a9:41:71");
    }

    #[test]
    fn a_thousand_guests_differ() {
        let bhyve = uri("bhyve:///system");
        let guests: Vec<_> = (0..1000).map(|number| name(&format!("guest{number}"))).collect();
        let uuids: HashSet<_> = guests.iter().map(uuid_of).collect();
        let macs: HashSet<_> = guests.iter().map(|guest| mac_of(guest, 0, &bhyve)).collect();
        assert_eq!((uuids.len(), macs.len()), (1000, 1000));
        assert!(macs.iter().all(|mac| mac.as_str() >= "58:9c:fc:20:00:00"));
    }
}
