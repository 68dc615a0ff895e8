// SPDX-License-Identifier: GPL-3.0-or-later

//! Whatever ntpctl or chronyc seems to have printed: an error or a judgement, never a panic, and never a row lost.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ntpd_check::evidence::{Evidence, Source};
use ntpd_check::judge::{Limits, judge};
use ntpd_check::params::Params;
use ntpd_check::{chrony, ntpctl, paste};

const NOW: f64 = 1_700_000_000.0;

fuzz_target!(|text: &str| {
    let limits = Limits::new(&Params::default(), "linux");
    if let Ok(report) = ntpctl::parse(text) {
        let rows = report.peers.len() + report.sensors.len();
        assert!(rows <= text.lines().count());
        judge(&Evidence::of_source(NOW, Source::Openntpd(report)), &limits);
    }
    if let Ok(paste) = paste::read(text.as_bytes()) {
        judge(&Evidence::of_source(NOW, Source::Openntpd(paste.report)), &limits);
    }
    if let Some((tracking, sources)) = text.split_once('\n')
        && let Ok(report) = chrony::parse(tracking, sources)
    {
        judge(&Evidence::of_source(NOW, Source::Chrony(report)), &limits);
    }
});
