// SPDX-License-Identifier: GPL-3.0-or-later

//! A clock that is meant to differ from its servers by a known time: judged as if that time were nothing.

use std::borrow::Cow;

use crate::evidence::{Evidence, Source};

impl Evidence {
    /// The same look at servers that are `expected` seconds closer to this clock.
    pub fn expecting(&self, expected: f64) -> Cow<'_, Self> {
        if expected == 0.0 {
            return Cow::Borrowed(self);
        }
        let mut shifted = self.clone();
        match &mut shifted.source {
            Source::Openntpd(report) => {
                let rows = report.peers.iter_mut().filter_map(|peer| peer.sample.as_mut());
                rows.for_each(|sample| sample.offset -= expected);
                let sensors = report.sensors.iter_mut().filter_map(|sensor| sensor.offset.as_mut());
                sensors.for_each(|offset| *offset -= expected);
            }
            Source::Chrony(report) => {
                report.tracking.correction -= expected;
                report.sources.iter_mut().for_each(|source| source.offset -= expected);
            }
            Source::Failed(_) => (),
        }
        let answers = shifted.probes.iter_mut().flat_map(|probe| &mut probe.answers);
        answers.for_each(|answer| answer.offset -= expected);
        // Rows that are compared with those of earlier looks.
        shifted.state.rows.values_mut().for_each(|row| row.sample.offset -= expected);
        Cow::Owned(shifted)
    }
}
