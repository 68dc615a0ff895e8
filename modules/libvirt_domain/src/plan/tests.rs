// SPDX-License-Identifier: GPL-3.0-or-later

//! Every state that a domain can be found in, and what is done about it.

use super::*;
use crate::activity::Pause;
use crate::document;
use crate::hypervisor::Version;
use crate::instance::Instance;
use crate::observe::{Surroundings, is_due};
use crate::receipt::{Configuration, Receipt};
use serde_json::{Value, json};

mod bhyve;
mod boot;
mod refusals;
mod renames;
mod saved_memory;
mod second_day;

const XML: &str = "<domain type='kvm'><name>web1</name><memory unit='GiB'>1</memory></domain>";
const OTHER: &str = "<domain type='kvm'><name>web1</name><memory unit='GiB'>2</memory></domain>";
const UUID: Uuid = Uuid::from_u128(7);

fn params(options: Value) -> Params {
    let mut all = json!({"name": "web1"});
    all.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
    serde_json::from_value(all).unwrap()
}

fn definition(xml: &str) -> Definition {
    Definition::parse(xml, &params(json!({})).name).unwrap()
}

/// What libvirt would make of it.
fn form(xml: &str) -> String {
    format!("{xml}\n<made/>\n")
}

fn configuration(given: &str, made: &str, found: &str) -> Configuration {
    let digest = |text: &str| document::sha256(form(text).as_bytes());
    Configuration {
        shown: form(found),
        digest: digest(found),
        receipt: Some(Receipt {
            given_meaning: definition(given).meaning().to_owned(),
            given: given.to_owned(),
            made_digest: digest(made),
            made: form(made),
        }),
        instance: Instance::default(),
        macs: Vec::new(),
    }
}

fn ours(given: &str) -> Configuration {
    configuration(given, given, given)
}

fn found(activity: Activity, defined: Configuration, running: Option<Configuration>) -> Found {
    Found {
        uuid: UUID,
        activity,
        persistent: true,
        start: Start::default(),
        defined,
        running,
        saved: None,
        waiting: None,
        killed: false,
        snapshots: Vec::new(),
        checkpoints: Vec::new(),
    }
}

fn off() -> Found {
    found(Activity::Shutoff, ours(XML), None)
}

fn on() -> Found {
    found(Activity::Running, ours(XML), Some(ours(XML)))
}

fn planned(options: Value, xml: Option<&str>, found: Option<Found>) -> Result<Plan> {
    let definition = xml.map(definition);
    let due = definition.as_ref().filter(|definition| is_due(definition, found.as_ref()));
    let surroundings = due.map(|_| Surroundings {
        xml: "complete".into(),
        uuid: UUID,
        macs: vec!["52:54:00:00:00:01".into()],
        host_memory: 4 << 30,
        ..Surroundings::default()
    });
    let params = params(options);
    let bhyve = (params.connection().driver() == "bhyve").then_some(Version(11_003_000));
    plan(&params, definition.as_ref(), &Observed { found, surroundings, bhyve, ..Observed::default() })
}

fn steps(options: Value, xml: Option<&str>, found: Option<Found>) -> String {
    let plan = planned(options, xml, found).unwrap();
    let words: Vec<_> = plan.steps.iter().map(word).collect();
    format!("{}{}", words.join(" "), if plan.outcome.restart_required { " (restart required)" } else { "" })
}

fn word(step: &Step) -> &'static str {
    match step {
        Step::Define { stale_instance: true, .. } => "define-stale",
        Step::Define { .. } => "define",
        Step::Clear => "clear",
        Step::Stop => "stop",
        Step::Discard => "discard",
        Step::Start => "start",
        Step::Revive { stale_instance: true } => "revive-stale",
        Step::Revive { .. } => "revive",
        Step::Resume => "resume",
        Step::Wake => "wake",
        Step::Turn(Some(_)) => "turn",
        Step::Turn(None) => "no-turn",
        Step::Autostart(true) => "autostart-on",
        Step::Autostart(false) => "autostart-off",
        Step::Wait { console: Some(_) } => "wait-console",
        Step::Wait { console: None } => "wait",
        Step::Undefine => "undefine",
        Step::Release(_) => "release",
        Step::Adopt(_) => "adopt",
        Step::Forget(_) => "forget",
    }
}

#[test]
fn a_domain_that_is_not_there() {
    let state = |state: &str| json!({"state": state});
    assert_eq!(steps(state("running"), Some(XML), None), "define start");
    assert_eq!(steps(state("shutoff"), Some(XML), None), "define");
    assert_eq!(steps(state("present"), Some(XML), None), "define");
    assert_eq!(steps(state("absent"), None, None), "");
    assert_eq!(steps(json!({"autostart": true}), Some(XML), None), "define start autostart-on");
    assert_eq!(steps(json!({"autostart": false}), Some(XML), None), "define start");
    assert_eq!(
        planned(state("running"), None, None).unwrap_err().to_string(),
        "defining domain web1: it does not exist, and the option `xml` is missing"
    );
}

#[test]
fn a_domain_that_is_as_given() {
    for xml in [None, Some(XML)] {
        assert_eq!(steps(json!({}), xml, Some(on())), "");
        assert_eq!(steps(json!({"state": "present"}), xml, Some(on())), "");
        assert_eq!(steps(json!({"state": "present"}), xml, Some(off())), "");
        assert_eq!(steps(json!({"state": "shutoff"}), xml, Some(off())), "");
        assert_eq!(steps(json!({"state": "shutoff"}), xml, Some(on())), "stop");
        assert_eq!(steps(json!({}), xml, Some(off())), "start");
        assert_eq!(steps(json!({"restart": "if_changed"}), xml, Some(on())), "");
    }
    let paused = |activity| Some(found(activity, ours(XML), Some(ours(XML))));
    assert_eq!(steps(json!({}), Some(XML), paused(Activity::Paused(Pause::Asked))), "resume");
    assert_eq!(steps(json!({}), Some(XML), paused(Activity::Suspended)), "wake");
}

#[test]
fn a_domain_that_is_given_anew() {
    assert_eq!(steps(json!({}), Some(OTHER), Some(on())), "define (restart required)");
    assert_eq!(steps(json!({"restart": "if_changed"}), Some(OTHER), Some(on())), "define stop start");
    assert_eq!(steps(json!({"restart": "if_changed"}), Some(OTHER), Some(off())), "define start");
    assert_eq!(
        steps(json!({"state": "shutoff", "restart": "if_changed"}), Some(OTHER), Some(on())),
        "define stop"
    );
    assert_eq!(steps(json!({"state": "present"}), Some(OTHER), Some(off())), "define");
}

#[test]
fn an_instance_that_still_runs_what_was_given_before() {
    let behind = || Some(found(Activity::Running, ours(OTHER), Some(ours(XML))));
    assert_eq!(steps(json!({}), Some(OTHER), behind()), " (restart required)");
    assert_eq!(steps(json!({}), None, behind()), " (restart required)");
    assert_eq!(steps(json!({"restart": "if_changed"}), Some(OTHER), behind()), "stop start");
    // What it runs is given again.
    assert_eq!(steps(json!({}), Some(XML), behind()), "define");
}

#[test]
fn a_domain_that_was_edited_by_hand() {
    let edited = configuration(XML, XML, OTHER);
    let stopped = Some(found(Activity::Shutoff, edited.clone(), None));
    assert_eq!(steps(json!({"state": "present"}), Some(XML), stopped), "define");
    let not_running_it = Some(found(Activity::Running, edited.clone(), Some(ours(XML))));
    let plan = planned(json!({}), Some(XML), not_running_it.clone()).unwrap();
    assert_eq!(plan.warnings, ["domain web1 was edited since it was defined; the diff shows what is undone"]);
    assert_eq!(steps(json!({}), Some(XML), not_running_it), "define");
    let running_it = Some(found(Activity::Running, edited.clone(), Some(edited.clone())));
    assert_eq!(steps(json!({}), Some(XML), running_it.clone()), "define-stale (restart required)");
    assert_eq!(steps(json!({"restart": "if_changed"}), Some(XML), running_it), "define-stale stop start");
    // Without XML nothing is undone.
    assert_eq!(steps(json!({}), None, Some(found(Activity::Shutoff, edited, None))), "start");
}

#[test]
fn a_domain_of_somebody_else() {
    let foreign = Configuration { receipt: None, ..ours(XML) };
    let running = || Some(found(Activity::Running, foreign.clone(), Some(foreign.clone())));
    assert_eq!(steps(json!({}), None, running()), "");
    assert_eq!(steps(json!({}), Some(XML), running()), "define (restart required)");
    let transient = Found { persistent: false, ..running().unwrap() };
    assert_eq!(steps(json!({}), Some(XML), Some(transient.clone())), "define (restart required)");
    assert_eq!(steps(json!({"state": "absent", "force": true}), None, Some(transient)), "stop");
}

#[test]
fn removal() {
    let absent = |force: bool| json!({"state": "absent", "force": force});
    assert_eq!(steps(absent(false), None, Some(off())), "undefine");
    assert_eq!(steps(absent(true), None, Some(on())), "stop undefine");
    assert_eq!(
        planned(absent(false), None, Some(on())).unwrap_err().to_string(),
        "undefining domain web1: expected it shut off, found it running; shut it down first (state: shutoff), or set \
         `force: true` to stop and remove it"
    );
}

#[test]
fn waiting_is_no_change_and_is_not_repeated() {
    let wait = json!({"wait_for": {"console": "login:"}});
    let waited = || {
        let shown = Some(document::sha256(b"login:"));
        let instance = Instance { shown, ..Instance::default() };
        Some(found(Activity::Running, ours(XML), Some(Configuration { instance, ..ours(XML) })))
    };
    assert_eq!(steps(wait.clone(), Some(XML), Some(off())), "start wait-console");
    assert_eq!(steps(wait.clone(), Some(XML), Some(on())), "wait-console");
    assert_eq!(steps(wait.clone(), Some(XML), waited()), "wait");
    assert!(!planned(wait.clone(), Some(XML), Some(on())).unwrap().changed());
    assert_eq!(steps(json!({"wait_for": {"console": "other"}}), Some(XML), waited()), "wait-console");
    let mut stopped = wait;
    stopped["state"] = "shutoff".into();
    assert_eq!(steps(stopped, Some(XML), Some(off())), "");
}

#[test]
fn the_diff_is_in_the_users_words() {
    let plan = planned(json!({"autostart": true}), Some(OTHER), Some(off())).unwrap();
    assert_eq!(plan.diff.before, format!("state: shutoff\nautostart: false\ndefinition:\n{XML}\n"));
    assert_eq!(plan.diff.after, format!("state: running\nautostart: true\ndefinition:\n{OTHER}\n"));
    let edited = Some(found(Activity::Shutoff, configuration(XML, XML, OTHER), None));
    let plan = planned(json!({"state": "present"}), Some(XML), edited).unwrap();
    let text = |xml: &str| {
        format!(
            "state: shutoff\nautostart: false\ndefinition:\n{XML}\nin libvirt's form, which was edited since:\n{xml}\n<made/>\n"
        )
    };
    assert_eq!((plan.diff.before, plan.diff.after), (text(OTHER), text(XML)));
    let behind = Some(found(Activity::Running, ours(OTHER), Some(ours(XML))));
    let plan = planned(json!({"restart": "if_changed"}), Some(OTHER), behind).unwrap();
    let running = |words: &str| format!("state: running{words}\nautostart: false\ndefinition:\n{OTHER}\n");
    assert_eq!((plan.diff.before, plan.diff.after), (running(", restart required"), running("")));
    let gone = planned(json!({"state": "absent"}), None, Some(off())).unwrap();
    assert_eq!(gone.diff.after, "");
    let nothing = planned(json!({}), Some(XML), Some(on())).unwrap();
    assert_eq!(nothing.diff.before, nothing.diff.after);
}

#[test]
fn a_changed_password_is_told_and_not_shown() {
    let with = |secret: &str| format!("<domain type='kvm'><name>web1</name><x passwd='{secret}'/></domain>");
    let hidden = with("********");
    let mut before = ours(&with("old"));
    before.receipt.as_mut().unwrap().given = hidden.clone();
    let plan = planned(json!({}), Some(&with("new")), Some(found(Activity::Shutoff, before, None))).unwrap();
    assert_eq!(plan.steps.first().map(word), Some("define"));
    assert_eq!(plan.diff.before, format!("state: shutoff\nautostart: false\ndefinition:\n{hidden}\n"));
    assert_eq!(
        plan.diff.after,
        format!("state: running\nautostart: false\ndefinition:\n{hidden}\na password: changed\n")
    );
}
