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
    let observed =
        Observed { evidence, candidates: Vec::new(), listens: Vec::new(), memory: Ok(()), notes: Vec::new() };
    let repair =
        RepairPlan { wanted: true, restart: true, warnings: vec!["known".to_owned()], refused: vec![] };
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
fn a_memory_that_cannot_be_written_does_not_hide_the_verdict() {
    let folder = tempfile::tempdir().unwrap();
    let params = remembering(&folder, &cannot_be_saved());
    let (outcome, acted) = run(&params, Mode::Run).unwrap();
    assert!(acted.is_ok());
    let notes = outcome.observed.notes;
    let start = "nothing is remembered for the next run: creating a temporary file in ";
    assert!(notes.iter().any(|note| note.starts_with(start)), "{notes:?}");
}

#[test]
fn nothing_is_restarted_that_cannot_be_counted() {
    let folder = tempfile::tempdir().unwrap();
    let params = remembering(&folder, &cannot_be_saved());
    let mut outcome = decided(&params);
    apply(&params, &mut outcome, state::State::default()).unwrap();
    assert!(!outcome.repair.restart && !outcome.restarted);
    let refused = &outcome.repair.refused;
    assert!(refused.len() == 1 && refused[0].starts_with("restarts cannot be counted: "), "{refused:?}");
    assert!(outcome.repair.warnings.is_empty() && outcome.observed.evidence.state.restarts.is_empty());
}

#[test]
fn a_restart_that_failed_is_counted_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let params = remembering(&folder, "state.json");
    let mut outcome = decided(&params);
    let error = format!("{:#}", apply(&params, &mut outcome, state::State::default()).unwrap_err());
    assert!(error.starts_with("restarting service no-such-service-anywhere: "), "{error}");
    assert!(!outcome.restarted);
    assert_eq!(state::load(&state_path(&params)).unwrap().restarts.len(), 1);
}
