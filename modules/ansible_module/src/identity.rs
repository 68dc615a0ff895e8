// SPDX-License-Identifier: GPL-3.0-or-later

//! Who a guest is: UUID and MAC addresses that follow from its name, so that a redeploy keeps them and two never share one.

use uuid::Uuid;

/// The namespace of our version 5 UUIDs; made once at random, never to be changed.
const NAMESPACE: Uuid = Uuid::from_u128(0x5c0f_3e0a_8d1b_4b62_9c55_7f2e_61d0_a9b4);

/// Whose block of addresses a guest's network interfaces are in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MacBlock {
    /// FreeBSD's 58:9c:fc, above the range 58:9c:fc:10 from which the kernel itself draws addresses for bridges and epairs.
    Bhyve,
    /// qemu's 52:54:00.
    Qemu,
}

impl MacBlock {
    /// The block of this platform's own hypervisor.
    pub const fn of_this_platform() -> Self {
        if cfg!(target_os = "freebsd") { MacBlock::Bhyve } else { MacBlock::Qemu }
    }
}

/// The UUID of the guest of this name.
pub fn uuid_of(name: &str) -> Uuid {
    Uuid::new_v5(&NAMESPACE, name.as_bytes())
}

/// The MAC address of the `index`-th network interface, from 0, of the guest of this name.
pub fn mac_of(name: &str, index: usize, block: MacBlock) -> String {
    // A slash cannot be in a name, so no other guest's name leads here.
    let seed = Uuid::new_v5(&NAMESPACE, format!("{name}/{index}").as_bytes());
    let [a, b, c, ..] = seed.into_bytes();
    match block {
        MacBlock::Bhyve => {
            let a = 0x20 + (u16::from(a) * 0xe0 / 0x100) as u8;
            format!("58:9c:fc:{a:02x}:{b:02x}:{c:02x}")
        }
        MacBlock::Qemu => format!("52:54:00:{a:02x}:{b:02x}:{c:02x}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    /// These must never change: guests out there have them.
    #[test]
    fn identities_are_for_good() {
        assert_eq!(uuid_of("web1").to_string(), "06f7ab89-0554-5e2c-9836-192821f92039");
        assert_eq!(mac_of("web1", 0, MacBlock::Qemu), "52:54:00:9d:41:71");
        assert_eq!(mac_of("web1", 1, MacBlock::Qemu), "52:54:00:27:16:f8");
        assert_eq!(mac_of("web1", 0, MacBlock::Bhyve), "58:9c:fc:a9:41:71");
    }

    #[test]
    fn a_thousand_guests_differ() {
        let guests: Vec<_> = (0..1000).map(|number| format!("guest{number}")).collect();
        let uuids: HashSet<_> = guests.iter().map(|guest| uuid_of(guest)).collect();
        let macs: HashSet<_> = guests.iter().map(|guest| mac_of(guest, 0, MacBlock::Bhyve)).collect();
        assert_eq!((uuids.len(), macs.len()), (1000, 1000));
        assert!(macs.iter().all(|mac| mac.as_str() >= "58:9c:fc:20:00:00"));
    }
}
