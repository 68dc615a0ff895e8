// SPDX-License-Identifier: GPL-3.0-or-later

//! The writer's streams are read by OpenZFS's own `zstream` without a complaint.

use crate::support::stream;
use std::fs::File;
use std::process::{Command, Stdio};
use zfs_stream::{Expect, Image, replay, write};

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "a pure library does not depend on the command wrapper of the programs"
)]
fn zstream_dump_is_content() {
    let directory = tempfile::tempdir().unwrap();
    let disk = tempfile::tempfile().unwrap();
    replay(&stream("lz4-plain.zfs")[..], &disk, Expect::default()).unwrap();
    for volblocksize in [4 << 10, 16 << 10, 64 << 10, 128 << 10, 1 << 20] {
        let path = directory.path().join("stream");
        let image = Image { guid: 1 << 63, creation_time: 1, name: "image@gen".to_owned(), volblocksize };
        let summary = write(&disk, File::create(&path).unwrap(), &image).unwrap();
        let mut zstream = Command::new("zstream");
        // Debian keeps it where an ordinary user's PATH does not look.
        zstream.env("PATH", "/usr/sbin:/sbin:/usr/local/sbin:/usr/bin:/bin").arg("dump").stdin(Stdio::null());
        let dumped = zstream.arg(&path).output().unwrap_or_else(|error| {
            panic!("zstream: {error}; install Debian's zfsutils-linux (section contrib; no kernel module is needed)")
        });
        let (stdout, stderr) =
            (String::from_utf8_lossy(&dumped.stdout), String::from_utf8_lossy(&dumped.stderr));
        assert_eq!((dumped.status.success(), stderr.as_ref()), (true, ""), "{volblocksize}");
        let totals = [
            format!("\tTotal records = {}\n", summary.records),
            format!("\tTotal stream length = {0} (0x{0:x})\n", summary.bytes),
        ];
        for total in totals {
            assert!(stdout.contains(&total), "{volblocksize}: no {total:?} in {stdout}");
        }
    }
}
