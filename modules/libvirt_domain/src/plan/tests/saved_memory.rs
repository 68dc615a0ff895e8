// SPDX-License-Identifier: GPL-3.0-or-later

//! Domains whose memory was saved: what they go on with, and what was changed meanwhile.

use super::*;

/// Off, with saved memory that runs `saved`, and defined as `defined`.
fn saved(saved: Configuration, defined: Configuration) -> Option<Found> {
    Some(Found { saved: Some(saved), ..found(Activity::Shutoff, defined, None) })
}

#[test]
fn saved_memory_goes_on_with_what_was_defined_then() {
    let same = || saved(ours(XML), ours(XML));
    let behind = || saved(ours(XML), ours(OTHER));
    assert_eq!(steps(json!({}), None, same()), "revive");
    assert_eq!(steps(json!({}), Some(XML), same()), "revive");
    assert_eq!(steps(json!({"restart": "if_changed", "force": true}), Some(XML), same()), "revive");
    assert_eq!(steps(json!({}), Some(OTHER), same()), "define revive (restart required)");
    assert_eq!(steps(json!({}), Some(OTHER), behind()), "revive (restart required)");
    assert_eq!(steps(json!({}), None, behind()), "revive (restart required)");
    // What was saved is given again.
    assert_eq!(steps(json!({}), Some(XML), behind()), "define revive");
    let outcome = planned(json!({}), Some(OTHER), same()).unwrap().outcome;
    assert!(outcome.started);
}

#[test]
fn a_restart_that_is_due_is_not_resumed_from_saved_memory() {
    let restart =
        |force: bool, limit: u32| json!({"restart": "if_changed", "force": force, "shutdown_timeout": limit});
    for (xml, define) in [(Some(XML), "define "), (None, "")] {
        let behind = || match xml {
            Some(_) => saved(ours(OTHER), ours(OTHER)),
            None => saved(ours(OTHER), ours(XML)),
        };
        for (force, limit) in [(false, 0), (false, 60), (true, 60)] {
            assert_eq!(steps(restart(force, limit), xml, behind()), format!("{define}revive stop start"));
        }
        assert_eq!(steps(restart(true, 0), xml, behind()), format!("{define}discard start"));
    }
}

#[test]
fn saved_memory_of_a_guest_that_stays_off_is_kept_and_told() {
    for state in ["shutoff", "present"] {
        for options in
            [json!({"state": state}), json!({"state": state, "restart": "if_changed", "force": true})]
        {
            let plan = planned(options.clone(), Some(OTHER), saved(ours(XML), ours(XML))).unwrap();
            assert_eq!(plan.steps.iter().map(word).collect::<Vec<_>>(), ["define"]);
            assert!(
                plan.warnings[0].starts_with("domain web1: its memory was saved with another definition")
            );
            assert!(!plan.outcome.restart_required);
            let plan = planned(options, Some(XML), saved(ours(XML), ours(XML))).unwrap();
            assert!(!plan.changed() && plan.warnings.is_empty());
        }
    }
    assert_eq!(steps(json!({"state": "absent"}), None, saved(ours(XML), ours(XML))), "undefine");
}

#[test]
fn what_saved_memory_has_written_is_not_waited_for_again() {
    let wait = json!({"wait_for": {"console": "login:"}});
    let instance = Instance { shown: Some(document::sha256(b"login:")), ..Instance::default() };
    let known = Configuration { instance, ..ours(XML) };
    assert_eq!(steps(wait.clone(), Some(XML), saved(known, ours(XML))), "revive wait");
    assert_eq!(steps(wait, Some(XML), saved(ours(XML), ours(XML))), "revive wait-console");
}

#[test]
fn saved_memory_that_runs_an_edit_is_told_from_what_it_was_given() {
    let edited = configuration(XML, XML, OTHER);
    assert_eq!(
        steps(json!({}), Some(XML), saved(edited.clone(), edited)),
        "define-stale revive-stale (restart required)"
    );
}
