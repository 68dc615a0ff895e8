// SPDX-License-Identifier: GPL-3.0-or-later

//! A domain that gets another name, as it may be found.

use super::*;
use crate::former::{Former, Known};
use crate::names::DomainName;

fn renamed(options: Value, found: Option<Found>, former: Option<Found>, noted: bool) -> Result<Plan> {
    let name = |text: &str| DomainName::try_from(text.to_owned()).unwrap();
    let known = Known {
        name: name("old1"),
        becomes: name("web1"),
        uri: String::new(),
        uuid: UUID,
        macs: Vec::new(),
        start: Start { marked: true, turn: None },
        nvram: None,
    };
    let definition = definition(XML);
    let surroundings = found.is_none().then(|| Surroundings {
        xml: "complete".into(),
        uuid: UUID,
        host_memory: 4 << 30,
        ..Surroundings::default()
    });
    let rehearsal = options == json!({"state": "running"});
    let former = (noted || former.is_some()).then_some(Former { known, found: former });
    let mut all = json!({"renamed_from": "old1", "xml": XML});
    all.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
    plan(
        &params(all),
        Some(&definition),
        &Observed { found, surroundings, former, rehearsal, ..Observed::default() },
    )
}

fn steps(found: Option<Found>, former: Option<Found>, noted: bool) -> String {
    let plan = renamed(json!({}), found, former, noted).unwrap();
    plan.steps.iter().map(word).collect::<Vec<_>>().join(" ")
}

#[test]
fn wherever_it_was_cut_the_same_call_goes_on() {
    assert_eq!(steps(None, Some(off()), false), "release define adopt start autostart-on forget");
    // Between the two definitions.
    assert_eq!(steps(None, None, true), "define adopt start autostart-on forget");
    // Before it was marked, and before the note had gone.
    assert_eq!(steps(Some(off()), None, true), "adopt start autostart-on forget");
    let marked = Found { start: Start { marked: true, turn: None }, ..on() };
    assert_eq!(steps(Some(marked), None, true), "adopt forget");
    assert_eq!(steps(Some(on()), None, false), "");
    assert!(!renamed(json!({}), Some(on()), None, false).unwrap().changed());
}

#[test]
fn what_the_diff_shows_is_the_domain_before() {
    let plan = renamed(json!({"state": "shutoff"}), None, Some(off()), false).unwrap();
    assert!(plan.changed() && plan.diff.before.starts_with("state: shutoff"), "{}", plan.diff.before);
    assert_eq!((plan.outcome.uuid, plan.outcome.autostart), (Some(UUID), true));
}

#[test]
fn what_would_lose_something_is_refused() {
    // In check mode nobody has stopped it.
    assert!(renamed(json!({"state": "running"}), None, Some(on()), false).unwrap().changed());
    let saved = Found { saved: Some(ours(XML)), ..off() };
    let checkpoints = Found { checkpoints: vec!["c1".into()], ..off() };
    let error = |found, former| renamed(json!({}), found, Some(former), false).unwrap_err().to_string();
    for (message, part) in [
        (error(Some(off()), off()), "expected one of them, found both"),
        (error(None, on()), "expected it shut off, found it running"),
        (error(None, saved), "its memory was saved"),
        (error(None, checkpoints), "expected no snapshots and no checkpoints"),
    ] {
        assert!(message.starts_with("renaming domain old1 to web1: ") && message.contains(part), "{message}");
    }
}
