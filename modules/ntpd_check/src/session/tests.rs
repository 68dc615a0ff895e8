// SPDX-License-Identifier: GPL-3.0-or-later

use ansible_module::Seconds;

use super::*;
use crate::evidence::{Evidence, Source};
use crate::failure::Failure;
use crate::observe::Observed;
use crate::repair::RepairPlan;

/// A run that has decided for a restart of a service that does not exist.
fn decided(params: &Params) -> Outcome {
    let evidence = Evidence::of_source(1e9, Source::Failed(Failure::no_daemon("gone")));
    let judgement = judge(&evidence, &Limits::new(params, "linux"));
    let observed = Observed::of(evidence);
    let warnings = vec!["known".to_owned()];
    let repair = RepairPlan { wanted: true, restart: true, warnings, ..RepairPlan::default() };
    Outcome { observed, judgement, repair, restarted: false }
}

fn remembering(folder: &tempfile::TempDir, name: &str) -> Params {
    Params {
        state_file: Some(folder.path().join(name)),
        service: Some("no-such-service-anywhere".to_owned()),
        ..Params::default()
    }
}

/// A name for which there is room, but not for that of the temporary file beside it.
fn cannot_be_saved() -> String {
    format!("{}.json", "s".repeat(245))
}

#[test]
fn thresholds_that_make_no_sense_are_refused() {
    let thresholds = |warning, critical| Params {
        offset_warning: Seconds::from_millis(warning),
        offset_critical: Seconds::from_millis(critical),
        ..Params::default()
    };
    let slew = |ppm| Params { slew_rate: Some(ppm), ..Params::default() };
    let cases = [
        (thresholds(300, 250), "offset_warning: expected at most offset_critical, 0.25 s, found 0.3 s"),
        (slew(-500.0), "slew_rate: expected parts per million above 0, found -500"),
        (slew(0.0), "slew_rate: expected parts per million above 0, found 0"),
    ];
    for (params, expected) in cases {
        assert_eq!(format!("{:#}", run(&params, Mode::Check).unwrap_err()), expected);
    }
    assert!(thresholds(250, 250).check().is_ok() && slew(0.5).check().is_ok());
}

#[test]
fn the_log_that_is_read_is_that_of_the_daemon_that_was_asked() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("daemon.log");
    std::fs::write(&log, "Nov 28 18:31:22 hv1 ntpd[9]: adjtime failed: Operation not permitted\n").unwrap();
    let params = Params { log_file: Some(log), ..Params::default() };
    let told = |daemon| {
        let Outcome { mut observed, mut judgement, .. } = decided(&params);
        observed.daemon = daemon;
        explain(&params, &observed, &mut judgement);
        judgement.reasons.iter().any(|reason| reason.contains("adjtime failed"))
    };
    for (daemon, expected) in [
        (Some(Kind::Openntpd), true),
        (Some(Kind::Ntp), true),
        (Some(Kind::Chrony), false),
        (Some(Kind::NtpdRs), false),
        (Some(Kind::Timesyncd), false),
        (None, false),
    ] {
        assert_eq!(told(daemon), expected, "{daemon:?}");
    }
}

#[test]
fn a_memory_that_cannot_be_written_does_not_hide_the_verdict() {
    let folder = tempfile::tempdir().unwrap();
    let params = remembering(&folder, &cannot_be_saved());
    let notes = run(&params, Mode::Run).unwrap().observed.notes;
    let start = "nothing is remembered for the next run: creating a temporary file in ";
    assert!(notes.iter().any(|note| note.starts_with(start)), "{notes:?}");
}

#[test]
fn a_damaged_leap_file_does_not_hide_the_verdict() {
    let folder = tempfile::tempdir().unwrap();
    let damaged = folder.path().join("leap-seconds.list");
    std::fs::write(&damaged, "#@ 1\nno such line\n").unwrap();
    let cases = [
        (damaged, "reading leap seconds from"),
        ("/dev/null".into(), "a device"),
        ("/no".into(), "No such file"),
    ];
    for (leap_file, told) in cases {
        let params = Params { leap_file: Some(leap_file), ..remembering(&folder, "state.json") };
        let notes = run(&params, Mode::Check).unwrap().observed.notes;
        assert!(notes.iter().any(|note| note.contains(told)), "{told}: {notes:?}");
    }
}

/// Replacing a device or a pipe by a file would be the end of it.
#[test]
fn nothing_but_a_file_is_read_or_replaced() {
    use std::os::unix::fs::FileTypeExt;

    let folder = tempfile::tempdir().unwrap();
    let params = remembering(&folder, "state.json");
    let pipe = folder.path().join("state.json");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let notes = run(&params, Mode::Run).unwrap().observed.notes;
    assert!(notes.iter().any(|note| note.contains("a named pipe")), "{notes:?}");
    assert!(std::fs::metadata(&pipe).unwrap().file_type().is_fifo());
}

#[test]
fn nothing_is_restarted_that_cannot_be_counted() {
    let folder = tempfile::tempdir().unwrap();
    let params = remembering(&folder, &cannot_be_saved());
    let mut outcome = decided(&params);
    apply(&params, &mut outcome, State::default(), || panic!("nobody has to look"));
    assert!(!outcome.repair.restart && !outcome.restarted);
    let refused = &outcome.repair.refused;
    assert!(refused.len() == 1 && refused[0].starts_with("restarts cannot be counted: "), "{refused:?}");
    assert!(outcome.repair.warnings.is_empty() && outcome.observed.evidence.state.restarts.is_empty());
}

/// What the engine is after a restart that failed: the same, gone, or a new one all the same.
#[test]
fn a_restart_that_failed_is_a_note_and_counts_if_it_did_anything() {
    let cases = [
        (Some(Process { pid: 7, uptime: 90_001 }), (false, false, 0)),
        (None, (false, true, 1)),
        (Some(Process { pid: 8, uptime: 0 }), (true, true, 1)),
    ];
    for (engine, expected) in cases {
        let folder = tempfile::tempdir().unwrap();
        let params = remembering(&folder, "state.json");
        let mut outcome = decided(&params);
        (outcome.observed.evidence.pid, outcome.observed.evidence.uptime) = (Some(7), Some(90_000.0));
        apply(&params, &mut outcome, State::default(), || Ok(engine));
        let counted = state::load(&state_path(&params)).unwrap().restarts.len();
        assert_eq!((outcome.restarted, outcome.repair.restart, counted), expected, "{engine:?}");
        let notes = &outcome.observed.notes;
        assert!(notes[0].starts_with("restarting the daemon with `"), "{notes:?}");
        let gone = notes.iter().any(|note| note.starts_with("the daemon has ended and not come back"));
        assert_eq!(gone, engine.is_none(), "{notes:?}");
        assert_eq!(outcome.observed.evidence.state.restarts.len(), counted);
    }
}
