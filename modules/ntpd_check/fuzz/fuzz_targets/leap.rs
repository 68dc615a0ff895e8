// SPDX-License-Identifier: GPL-3.0-or-later

//! Whatever stands in leap-seconds.list: an error or a table in order, never a panic.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use ntpd_check::leap::parse;

fuzz_target!(|text: &str| {
    if let Ok(table) = parse(text, Path::new("list")) {
        assert!(table.leaps.is_sorted_by(|a, b| a.at < b.at));
    }
});
