// SPDX-License-Identifier: GPL-3.0-or-later

//! Whatever a server sends: never a panic, and never an answer that does not repeat our number.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ntpd_check::probe::packet::{Reading, Stamp, read};

fuzz_target!(|input: (u64, u64, u32, Vec<u8>, bool)| {
    let (nonce, sent, took, mut datagram, repeats) = input;
    if repeats {
        // What only the asked server can know: without it nothing behind that check would ever be reached.
        datagram.resize(48, 0);
        datagram[24..32].copy_from_slice(&nonce.to_be_bytes());
    }
    let (sent, arrived) = (Stamp(sent), Stamp(sent.wrapping_add(u64::from(took))));
    if let Reading::Good(answer) = read(&datagram, nonce, sent, arrived) {
        assert_eq!(datagram.len(), 48);
        assert_eq!(datagram.get(24..32), Some(&nonce.to_be_bytes()[..]));
        assert!(answer.delay >= 0.0 && answer.root_distance < 1.5 && answer.offset.is_finite());
        assert!((1..=15).contains(&answer.stratum) && answer.leap < 3);
    }
});
