// SPDX-License-Identifier: GPL-3.0-or-later

//! Single answers: measured, refused, or taken for noise.

use super::super::packet::{Reading, query, read};
use super::*;

fn judge(packet: &[u8]) -> Reading {
    read(packet, NONCE, at(200.0), at(200.03))
}

#[test]
fn a_sound_answer_is_measured() {
    let Reading::Good(answer) = judge(&sound(-1.0)) else { panic!() };
    let near = |a: f64, b: f64| (a - b).abs() < 1e-6;
    assert!(
        near(answer.offset, -1.0) && near(answer.delay, 0.02) && near(answer.reference_age, 100.02),
        "{answer:?}"
    );
    assert!((answer.root_distance - 0.0265).abs() < 0.001, "{answer:?}");
    assert_eq!((answer.stratum, answer.leap, answer.refid.as_str()), (2, 0, "198.51.100.7"));
}

#[test]
fn the_end_of_an_era_is_nothing_special() {
    let (before, after) = (Stamp(0xffff_ffff_8000_0000), Stamp(0x8000_0000));
    assert_eq!((after.since(before), before.since(after)), (1.0, -1.0));
    assert_eq!(Stamp::from_unix(2_085_978_496, 0), Stamp(0));
}

#[test]
fn a_query_tells_nothing_about_this_host() {
    let packet = query(NONCE);
    assert_eq!(packet[0], 0x23);
    assert!(packet[1..40].iter().all(|byte| *byte == 0));
    assert_eq!(packet[40..], NONCE.to_be_bytes());
}

#[test]
fn faults_of_answers() {
    let edited = |edit: fn(&mut [u8; LENGTH])| {
        let mut packet = sound(0.0);
        edit(&mut packet);
        judge(&packet)
    };
    let cases: [(Reading, Problem); 9] = [
        (edited(|packet| packet[0] = 3 << 6 | 4 << 3 | 4), Problem::Alarm),
        (edited(|packet| packet[1] = 16), Problem::Stratum(16)),
        (edited(|packet| packet[1] = 255), Problem::Stratum(255)),
        (
            edited(|packet| {
                packet[1] = 0;
                packet[12..16].copy_from_slice(b"RATE");
            }),
            Problem::Kiss("RATE".into()),
        ),
        (
            edited(|packet| {
                packet[1] = 0;
                packet[12..16].copy_from_slice(&[27, 91, 50, 74]);
            }),
            Problem::Kiss("27.91.50.74".into()),
        ),
        (edited(|packet| packet[32..40].fill(0)), Problem::Malformed("a timestamp is zero".into())),
        (edited(|packet| packet[40..48].fill(0)), Problem::Malformed("a timestamp is zero".into())),
        (edited(|packet| packet[16..24].fill(0)), Problem::Stale(at(200.02).since(Stamp(0)).max(0.0))),
        (edited(|packet| packet[4..8].copy_from_slice(&[0, 4, 0, 0])), Problem::RootDistance(0.0)),
    ];
    for (reading, problem) in cases {
        let Reading::Bad(found) = reading else { panic!("{reading:?}") };
        assert_eq!(std::mem::discriminant(&found), std::mem::discriminant(&problem), "{found} / {problem}");
        if !matches!(problem, Problem::RootDistance(_) | Problem::Stale(_)) {
            assert_eq!(found, problem);
        }
    }
    let mut late = sound(0.0);
    late[40..48].copy_from_slice(&at(201.0).0.to_be_bytes());
    assert!(matches!(judge(&late), Reading::Bad(Problem::NegativeDelay(_))));
}

#[test]
fn what_is_no_answer_to_our_query_is_noise() {
    let noise = |packet: &[u8]| match judge(packet) {
        Reading::Noise(why) => why,
        other => panic!("{other:?}"),
    };
    let with = |at: usize, value: u8| {
        let mut packet = sound(0.0);
        packet[at] = value;
        packet
    };
    assert_eq!(noise(&[]), "0 bytes instead of 48");
    assert_eq!(noise(&sound(0.0)[..47]), "47 bytes instead of 48");
    assert_eq!(noise(&[0; 49]), "49 bytes instead of 48");
    assert_eq!(noise(&with(0, 4 << 3 | 3)), "mode 3 instead of 4 (server)");
    assert_eq!(noise(&with(0, 4)), "version 0");
    assert_eq!(noise(&with(31, 0)), "it does not repeat our query's timestamp");
}
