// SPDX-License-Identifier: GPL-3.0-or-later

//! What is asked of a stream as a whole, and packages of streams.

use crate::guards::{WRITE, refused, with};
use crate::support::*;
use zfs_stream::{Base, Expect, verify};

#[test]
fn expectations() {
    let base = Base::Volume { guid: 5, volsize: 8192, volblocksize: 4096 };
    let increment = |block_size| {
        vec![begin(0, 5), object(1, 23, block_size), write(1, 4096, &[2; 4096]), object(2, 24, 512), end()]
    };
    let table = [
        (
            small(),
            Expect { guid: Some(78), ..Expect::default() },
            "the stream ends at snapshot guid 77, expected 78: another image",
        ),
        (
            small(),
            Expect { volsize: Some(16384), ..Expect::default() },
            "the volume in the stream has 8192 bytes, expected 16384",
        ),
        (
            with(WRITE, write(1, 1 << 60, &[1; 4096])),
            Expect { volsize: Some(8192), ..Expect::default() },
            "record 4 (WRITE) at byte 936: data up to byte 1152921504606851072, beyond the expected volume size 8192",
        ),
        (
            small(),
            Expect { base, ..Expect::default() },
            "record 1 (BEGIN) at byte 0: stream from snapshot guid 0, but the volume is at guid 5: send it from that snapshot",
        ),
        (
            increment(8192),
            Expect { base, ..Expect::default() },
            "record 2 (OBJECT) at byte 312: block size 8192, but the volume has 4096: send it with the same options (-L)",
        ),
        (
            increment(4096),
            Expect { base: Base::Volume { guid: 5, volsize: 4096, volblocksize: 4096 }, ..Expect::default() },
            "record 5 (END) at byte 5344: data up to byte 8192, beyond the volume size 4096",
        ),
    ];
    for (records, expect, expected) in table {
        assert_eq!(refused(&records, expect), expected);
    }
    let summary = verify(&seal(&increment(4096))[..], Expect { base, ..Expect::default() }).unwrap();
    assert_eq!((summary.fromguid, summary.volsize, summary.volblocksize), (5, Some(8192), Some(4096)));
    let nothing = verify(&seal(&[begin(0, 5), end()])[..], Expect { base, ..Expect::default() }).unwrap();
    assert_eq!((nothing.volsize, nothing.volblocksize), (Some(8192), Some(4096)));
}

#[test]
fn packages() {
    let package = || Record::new(0).u64(8, MAGIC).u64(16, 2);
    let closed = |records: Vec<Vec<u8>>| {
        let mut header = seal(&[package()]);
        let mut sum = zfs_stream::Fletcher4::default();
        sum.update(&header);
        let mut end = Record::new(5).header;
        end[8..40].copy_from_slice(&sum.to_bytes());
        header.extend_from_slice(&end);
        [vec![header], records, vec![Record::new(5).header.to_vec()]].concat().concat()
    };
    verify(&closed(vec![seal(&small())])[..], Expect::default()).unwrap();
    let other = {
        let mut begin = begin(0, GUID).u64(40, 78);
        begin.header[61] = b'w';
        begin
    };
    let cut = {
        let mut whole = closed(vec![seal(&small())]);
        whole.truncate(whole.len() - 312);
        whole
    };
    let filled = {
        let mut whole = closed(vec![seal(&small())]);
        let at = whole.len() - 9;
        whole[at] = 1;
        whole
    };
    let table = [
        (closed(vec![]), "record 3 (END) at byte 624: the package holds no stream"),
        (
            closed(vec![seal(&small()), seal(&[other, end().u64(40, 78)])]),
            "record 13 (BEGIN) at byte 8352: package of several datasets: send one volume",
        ),
        (
            closed(vec![seal(&small()), seal(&[begin(0, 5).u64(40, 78), end().u64(40, 78)])]),
            "record 13 (BEGIN) at byte 8352: stream from snapshot guid 5 follows one that ends at 77: the chain is broken",
        ),
        (closed(vec![closed(vec![])]), "record 3 (BEGIN) at byte 624: package inside a package"),
        (
            closed(vec![vec![9; 312]]),
            "record 3 (unknown) at byte 624: neither another stream nor the end of the package: it is damaged",
        ),
        (
            cut,
            "the stream ends at byte 8352, before the end of the package: it was cut short; fetch or send it again",
        ),
        (filled, "record 13 (END) at byte 8352: the end of the package is not empty: it is damaged"),
        (
            [seal(&[package()]), seal(&small())].concat(),
            "record 2 (BEGIN) at byte 312: package header and its end do not match: they are damaged",
        ),
    ];
    for (stream, expected) in table {
        let error = verify(&stream[..], Expect::default()).map_err(|error| format!("{error:#}"));
        assert_eq!(error.unwrap_err(), expected);
    }
}

#[test]
fn the_stream_of_a_clone_is_read_where_a_clone_is_asked_for() {
    let base = Base::Origin { guid: 5, volsize: 8192, volblocksize: 4096 };
    let clone = |fromguid| with(0, begin(0, fromguid).u32(36, 0xd));
    let expect = Expect { base, ..Expect::default() };
    let summary = verify(&seal(&clone(5))[..], expect).unwrap();
    assert_eq!((summary.fromguid, summary.volsize), (5, Some(8192)));
    assert!(refused(&clone(6), expect).contains("stream from snapshot guid 6, but the volume is at guid 5"));
    for base in [Base::None, Base::Any, Base::Volume { guid: 5, volsize: 8192, volblocksize: 4096 }] {
        let told = refused(&clone(5), Expect { base, ..Expect::default() });
        assert!(told.contains("stream of a clone, which applies to a snapshot of another volume"), "{told}");
    }
}
