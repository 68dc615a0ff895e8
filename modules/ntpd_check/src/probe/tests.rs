// SPDX-License-Identifier: GPL-3.0-or-later

use std::net::{SocketAddr, UdpSocket};
use std::thread;
use std::time::Duration;

use super::packet::{LENGTH, Stamp};
use super::*;
use test_support::{patience, run_out};

mod packets;

const NONCE: u64 = 0x0123_4567_89ab_cdef;

/// Moment of the tests, in NTP time.
fn at(seconds: f64) -> Stamp {
    Stamp::from_unix(1_700_000_000 + seconds as u64, (seconds.fract() * 1e9) as u32)
}

/// A sound answer of a stratum 2 server whose clock is `ahead` seconds ahead, for a query that arrived at 0.01 s.
fn sound(ahead: f64) -> [u8; LENGTH] {
    let mut packet = [0; LENGTH];
    packet[0] = 4 << 3 | 4;
    packet[1] = 2;
    packet[4..8].copy_from_slice(&655u32.to_be_bytes());
    packet[8..12].copy_from_slice(&655u32.to_be_bytes());
    packet[12..16].copy_from_slice(&[198, 51, 100, 7]);
    packet[24..32].copy_from_slice(&NONCE.to_be_bytes());
    for (at_byte, moment) in [(16, ahead - 100.0 + 200.0), (32, ahead + 200.01), (40, ahead + 200.02)] {
        packet[at_byte..at_byte + 8].copy_from_slice(&at(moment).0.to_be_bytes());
    }
    packet
}

/// A server on loopback; `reply` makes its datagrams from each query.
fn server(reply: impl Fn(&[u8]) -> Vec<Vec<u8>> + Send + 'static) -> String {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    thread::spawn(move || {
        let mut buffer = [0; 512];
        while let Ok((length, client)) = socket.recv_from(&mut buffer) {
            for datagram in reply(&buffer[..length]) {
                // A client that has given up refuses the rest.
                let _ = socket.send_to(&datagram, client);
            }
        }
    });
    address.to_string()
}

/// A sound answer now, in this machine's own time.
fn honest(query: &[u8]) -> Vec<u8> {
    let since = std::time::SystemTime::now().duration_since(std::time::SystemTime::UNIX_EPOCH).unwrap();
    let stamp = Stamp::from_unix(since.as_secs(), since.subsec_nanos()).0.to_be_bytes();
    let mut packet = sound(0.0).to_vec();
    packet[24..32].copy_from_slice(&query[40..48]);
    for at in [16, 32, 40] {
        packet[at..at + 8].copy_from_slice(&stamp);
    }
    packet
}

fn sampling(samples: u32, timeout: Duration) -> Sampling {
    Sampling { samples, timeout, interval: Duration::from_millis(1) }
}

/// What a server gives that answers each query, or refuses it.
fn one(address: String, samples: u32) -> Probed {
    probe(&[address], sampling(samples, patience(10))).unwrap().remove(0)
}

#[test]
fn an_honest_server_is_sampled() {
    let probed = one(server(|query| vec![honest(query)]), 3);
    assert_eq!((probed.answers.len(), probed.sent, &probed.problem), (3, 3, &None));
    let best = probed.best().unwrap();
    assert!(best.offset.abs() <= best.delay / 2.0 + 1e-6, "its clock is ours: {best:?}");
}

#[test]
fn hostile_servers_neither_fool_nor_hang() {
    let alarm = |query: &[u8]| {
        let mut packet = honest(query);
        packet[0] |= 3 << 6;
        packet
    };
    let kiss = |query: &[u8]| {
        let mut packet = honest(query);
        packet[1] = 0;
        packet[12..16].copy_from_slice(b"DENY");
        packet
    };
    let foreign = |query: &[u8]| {
        let mut packet = honest(query);
        packet[24] ^= 1;
        packet
    };
    let cases = [
        ("silence", server(|_| Vec::new()), "does not answer"),
        (
            "an echo",
            server(|query| vec![query.to_vec()]),
            "sends invalid answers: mode 3 instead of 4 (server)",
        ),
        ("nothing", server(|_| vec![Vec::new()]), "sends invalid answers: 0 bytes instead of 48"),
        (
            "too short",
            server(|query| vec![honest(query)[..20].to_vec()]),
            "sends invalid answers: 20 bytes instead of 48",
        ),
        (
            "too long",
            server(|query| vec![[honest(query), vec![0; 400]].concat()]),
            "sends invalid answers: 49 bytes instead of 48",
        ),
        (
            "another's answer",
            server(move |query| vec![foreign(query)]),
            "sends invalid answers: it does not repeat our query's timestamp",
        ),
        (
            "a flood",
            server(move |query| vec![foreign(query); 500]),
            "sends 32 invalid datagrams in answer to one query",
        ),
        (
            "alarm",
            server(move |query| vec![alarm(query)]),
            "announces LI=3 (alarm): its own clock is not set",
        ),
        ("kiss", server(move |query| vec![kiss(query)]), "sends kiss of death DENY"),
    ];
    let servers: Vec<String> = cases.iter().map(|case| case.1.clone()).collect();
    let expected: Vec<_> = cases
        .iter()
        .map(|(name, _, problem)| {
            // A flood and a kiss of death end the questions.
            let asked = if ["a flood", "kiss"].contains(name) { 1 } else { 2 };
            (*name, Some((*problem).to_owned()), asked)
        })
        .collect();
    // Some are waited for in vain; a machine that is slow itself takes the others for silent, or late.
    run_out("each server to be seen through", |limit| {
        let probed = probe(&servers, sampling(2, limit)).unwrap();
        assert!(probed.iter().all(|probed| probed.answers.is_empty()), "{probed:?}");
        let seen = cases
            .iter()
            .zip(&probed)
            .map(|((name, ..), probed)| (*name, probed.problem().map(ToString::to_string), probed.sent));
        let seen: Vec<_> = seen.collect();
        if seen == expected { Ok(()) } else { Err(seen) }
    });
}

#[test]
fn one_refusal_among_good_answers_is_not_forgotten() {
    use std::sync::atomic::{AtomicU32, Ordering};

    type Edit = fn(&mut Vec<u8>);
    let alarm: Edit = |packet| packet[0] |= 3 << 6;
    let kiss: Edit = |packet| packet[1] = 0;
    let unset: Edit = |packet| packet[1] = 16;
    for (edit, bad, good, problem) in [
        (alarm, 0, 4, "announces LI=3 (alarm): its own clock is not set"),
        (alarm, 4, 4, "announces LI=3 (alarm): its own clock is not set"),
        (kiss, 4, 4, "sends kiss of death 198.51.100.7"),
        (unset, 2, 4, "announces stratum 16: not synchronised"),
    ] {
        let asked = AtomicU32::new(0);
        let moody = server(move |query| {
            let mut packet = honest(query);
            if asked.fetch_add(1, Ordering::Relaxed) == bad {
                edit(&mut packet);
            }
            vec![packet]
        });
        let probed = one(moody, 5);
        assert_eq!(probed.answers.len(), good);
        assert_eq!(probed.refusal().map(ToString::to_string).as_deref(), Some(problem), "{bad}");
    }
}

#[test]
fn a_server_cannot_have_taken_longer_than_its_answer() {
    let probed = one(
        server(|query| {
            let mut packet = honest(query);
            let received: [u8; 4] = packet[32..36].try_into().unwrap();
            packet[32..36].copy_from_slice(&(u32::from_be_bytes(received) - 600).to_be_bytes());
            vec![packet]
        }),
        1,
    );
    let problem = probed.problem().unwrap().to_string();
    assert!(problem.starts_with("sends timestamps that make a negative delay of -"), "{problem}");
    assert!(probed.answers.is_empty());
}

#[test]
fn the_real_answer_is_found_among_forged_ones() {
    let forged = server(|query| {
        let mut wrong = honest(query);
        wrong[24] ^= 0xff;
        vec![wrong.clone(), wrong, honest(query), honest(query)]
    });
    let probed = one(forged, 1);
    assert_eq!((probed.answers.len(), probed.problem), (1, None));
}

#[test]
fn a_closed_port_and_a_missing_name_are_told_apart() {
    let closed: SocketAddr = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert_eq!(one(closed.to_string(), 1).problem, Some(Problem::Refused));
    let missing = one("no-such-name.invalid".into(), 1);
    assert!(matches!(missing.problem, Some(Problem::Unresolved(_))), "{missing:?}");
    assert_eq!((missing.sent, missing.address), (0, None));
}
