// SPDX-License-Identifier: GPL-3.0-or-later

//! This clock against one server, as other plugins do it: no daemon is asked.

use anyhow::Result;

use crate::evidence::Source;
use crate::failure::Failure;
use crate::params::Params;
use crate::probe::{Probed, Sampling, probe};
use crate::report::{Peer, Report, Sample};

/// Trust in a server that answers: it is the only one.
const TRUSTED: u32 = 10;

/// What `server` says of this clock, as a daemon with it as its only peer would.
///
/// # Errors
/// Where no random numbers can be had for the queries.
pub fn source(server: &str, params: &Params) -> Result<Source> {
    let sampling = Sampling {
        samples: params.samples,
        timeout: params.probe_timeout.duration(),
        interval: params.sample_interval.duration(),
    };
    let probed = probe(&[server.to_owned()], sampling)?;
    Ok(probed.first().map_or_else(|| Source::Failed(Failure::not_answering(server)), of_probe))
}

fn of_probe(probed: &Probed) -> Source {
    let Some(best) = probed.best() else {
        let why = probed.problem.as_ref().map_or_else(|| "does not answer".to_owned(), ToString::to_string);
        return Source::Failed(Failure::not_answering(format!("{} {why}", probed.server)));
    };
    let delays = probed.answers.iter().map(|answer| answer.delay - best.delay);
    let jitter = (delays.map(|delay| delay * delay).sum::<f64>() / probed.answers.len() as f64).sqrt();
    let peer = Peer {
        address: Some(probed.server.clone()),
        selected: true,
        weight: 1,
        trust: TRUSTED,
        stratum: Some(best.stratum.into()),
        sample: Some(Sample { offset: best.offset, delay: best.delay, jitter }),
        ..Peer::default()
    };
    Source::Openntpd(Report { peers: vec![peer], ..Report::default() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Evidence;
    use crate::judge::{Limits, judge};
    use crate::probe::{Answer, Problem};
    use crate::verdict::{Severity, Verdict};

    fn probed(offsets: &[f64], problem: Option<Problem>) -> Probed {
        let answer = |offset: &f64| Answer {
            leap: 0,
            stratum: 2,
            refid: "192.0.2.9".into(),
            offset: *offset,
            delay: 0.01 + offset.abs() / 100.0,
            root_distance: 0.02,
            reference_age: 10.0,
        };
        let answers: Vec<_> = offsets.iter().map(answer).collect();
        let sent = u32::try_from(offsets.len()).unwrap_or(0);
        Probed { server: "a".into(), address: Some("192.0.2.1".into()), sent, answers, problem }
    }

    #[test]
    fn one_server_decides() {
        let params = Params { min_peers: 1, ..Params::default() };
        let cases = [
            (probed(&[0.001, 0.002], None), Verdict::Ok, Severity::Ok),
            (probed(&[0.1], None), Verdict::Offset, Severity::Warning),
            (probed(&[-1.0], None), Verdict::Offset, Severity::Critical),
            (probed(&[], Some(Problem::Alarm)), Verdict::NotAnswering, Severity::Critical),
            (probed(&[], None), Verdict::NotAnswering, Severity::Critical),
        ];
        for (probed, verdict, severity) in cases {
            let evidence = Evidence::of_source(1_700_000_000.0, of_probe(&probed));
            let judgement = judge(&evidence, &Limits::new(&params, "linux"));
            assert_eq!((judgement.verdict, judgement.severity), (verdict, severity), "{probed:?}");
        }
    }
}
