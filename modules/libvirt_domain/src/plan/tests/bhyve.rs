// SPDX-License-Identifier: GPL-3.0-or-later

//! bhyve, whose driver forgets what is defined while a domain runs.

use super::*;

/// The steps on bhyve.
fn steps_on_bhyve(options: Value, xml: &str, found: Found) -> String {
    let definition = definition(xml);
    let surroundings = is_due(&definition, Some(&found)).then(|| Surroundings {
        uuid: UUID,
        host_memory: 4 << 30,
        ..Surroundings::default()
    });
    let observed = Observed {
        found: Some(found),
        surroundings,
        bhyve: Some(Version(11_003_000)),
        ..Observed::default()
    };
    let plan = plan(&params(options), Some(&definition), &observed).unwrap();
    let words: Vec<_> = plan.steps.iter().map(word).collect();
    format!("{}{}", words.join(" "), if plan.outcome.restart_required { " (restart required)" } else { "" })
}

#[test]
fn a_driver_that_forgets_definitions_is_told_when_it_does_not() {
    let waiting = |xml: &str| Found { waiting: Some(Receipt::waiting(&definition(xml))), ..on() };
    let restart = || json!({"state": "running", "restart": "if_changed"});
    assert_eq!(steps_on_bhyve(json!({"state": "running"}), OTHER, on()), "define (restart required)");
    assert_eq!(steps_on_bhyve(json!({"state": "running"}), OTHER, waiting(OTHER)), " (restart required)");
    assert_eq!(steps_on_bhyve(restart(), OTHER, on()), "stop define start");
    assert_eq!(steps_on_bhyve(restart(), OTHER, waiting(OTHER)), "stop define start");
    assert_eq!(steps_on_bhyve(json!({"state": "shutoff"}), OTHER, on()), "stop define");
    // Back to what runs: the definition that waits has to go.
    assert_eq!(steps_on_bhyve(json!({"state": "running"}), XML, waiting(OTHER)), "define");
    assert_eq!(steps_on_bhyve(json!({"state": "running"}), XML, waiting(XML)), "");
}

#[test]
fn what_a_killed_process_leaves_is_cleared_away() {
    let killed = || Found { killed: true, ..off() };
    assert_eq!(steps_on_bhyve(json!({"state": "running"}), XML, killed()), "clear start");
    assert_eq!(steps_on_bhyve(json!({"state": "running"}), OTHER, killed()), "clear define start");
    assert_eq!(steps_on_bhyve(json!({"state": "shutoff"}), XML, killed()), "clear");
    assert_eq!(steps_on_bhyve(json!({"state": "present"}), XML, killed()), "");
    assert_eq!(steps(json!({"state": "absent"}), None, Some(killed())), "clear undefine");
}
