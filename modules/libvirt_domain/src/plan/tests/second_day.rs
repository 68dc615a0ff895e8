// SPDX-License-Identifier: GPL-3.0-or-later

//! What others do to a domain between two of our runs: pause it, change it, take snapshots.

use super::*;
use crate::disks::Snapshot;

fn refused(options: Value, xml: Option<&str>, found: Found) -> String {
    planned(options, xml, Some(found)).unwrap_err().to_string()
}

fn at(activity: Activity) -> Found {
    found(activity, ours(XML), Some(ours(XML)))
}

const DEAF: [Activity; 6] = [
    Activity::Paused(Pause::Unknown),
    Activity::Paused(Pause::Asked),
    Activity::Paused(Pause::DiskError),
    Activity::Paused(Pause::Job("has its memory saved")),
    Activity::Suspended,
    Activity::Crashed,
];

#[test]
fn a_guest_that_stands_still_is_stopped_with_force_only() {
    let off = |force: bool| json!({"state": "shutoff", "force": force});
    let gone = |force: bool| json!({"state": "absent", "force": force});
    for activity in DEAF {
        assert_eq!(steps(off(true), None, Some(at(activity))), "stop");
        assert_eq!(steps(gone(true), None, Some(at(activity))), "stop undefine");
        let word = activity.word();
        let message = refused(off(false), Some(OTHER), at(activity));
        assert!(
            message.starts_with("shutting down domain web1: expected it running, found it ")
                && message.contains(&format!("found it {word}: its guest cannot hear the power button; "))
                && message.ends_with(", or set `force: true` to power it off"),
            "{message}"
        );
        let message = refused(gone(false), None, at(activity));
        assert!(message.contains(&format!("expected it shut off, found it {word}")), "{message}");
    }
    assert_eq!(steps(off(false), None, Some(at(Activity::Stopping))), "stop");
}

#[test]
fn a_guest_that_stands_still_is_made_to_run() {
    let changed = |force: bool| json!({"restart": "if_changed", "force": force});
    for (activity, alone, restarted) in [
        (Activity::Paused(Pause::Asked), "resume", "define resume stop start"),
        (Activity::Paused(Pause::Watchdog), "resume", "define resume stop start"),
        (Activity::Suspended, "wake", "define wake stop start"),
        (Activity::Stopping, "stop start", "define stop start"),
    ] {
        assert_eq!(steps(json!({}), Some(XML), Some(at(activity))), alone);
        assert_eq!(steps(changed(false), Some(OTHER), Some(at(activity))), restarted);
        assert_eq!(steps(changed(true), Some(OTHER), Some(at(activity))), "define stop start");
    }
    assert_eq!(
        refused(json!({"force": true}), None, at(Activity::Paused(Pause::Job("has its memory saved")))),
        "resuming domain web1: expected it paused by somebody, found that it has its memory saved; run the task again when \
         that has ended"
    );
    assert_eq!(
        refused(json!({}), Some(XML), at(Activity::Crashed)),
        "starting domain web1: expected it running or shut off, found it crashed and kept to be looked at; set `force: true` \
         to power it off and start it anew"
    );
    assert_eq!(steps(json!({"force": true}), Some(XML), Some(at(Activity::Crashed))), "stop start");
}

#[test]
fn a_guest_that_stands_still_is_left_alone_where_its_state_is() {
    for activity in DEAF {
        let present = |force| json!({"state": "present", "restart": "if_changed", "force": force});
        let plan = planned(present(false), Some(OTHER), Some(at(activity))).unwrap();
        assert_eq!(plan.steps.iter().map(word).collect::<Vec<_>>(), ["define"]);
        assert_eq!((plan.outcome.state, plan.outcome.restart_required), (activity.word(), true));
        assert_eq!(steps(present(true), Some(OTHER), Some(at(activity))), "define stop start");
    }
}

#[test]
fn a_fault_that_paused_the_guest_is_told() {
    let warnings = |activity| planned(json!({}), None, Some(at(activity))).unwrap().warnings;
    assert!(warnings(Activity::Paused(Pause::DiskError))[0].starts_with("domain web1: an I/O error on one"));
    assert!(warnings(Activity::Paused(Pause::Unknown))[0].contains("libvirt does not know why"));
    assert!(warnings(Activity::Paused(Pause::Watchdog))[0].contains("its watchdog had paused it"));
    assert!(warnings(Activity::Paused(Pause::Asked)).is_empty());
}

#[test]
fn an_edit_that_waits_is_told() {
    let edited = configuration(XML, XML, OTHER);
    let waits = || Some(found(Activity::Running, edited.clone(), Some(ours(XML))));
    assert_eq!(steps(json!({}), None, waits()), " (restart required)");
    assert_eq!(steps(json!({"restart": "if_changed"}), None, waits()), "stop start");
    let runs = Some(found(Activity::Running, edited.clone(), Some(edited.clone())));
    assert_eq!(steps(json!({}), None, runs), "");
}

fn on_disk(source: &str) -> String {
    format!(
        "<domain type='kvm'><name>web1</name><devices><disk type='file' device='disk'><source file='{source}'/>\
         <target dev='vda' bus='virtio'/></disk></devices></domain>"
    )
}

/// Defined by us with the disk `made`, which is `now` elsewhere.
fn moved(made: &str, now: &str) -> Found {
    let (given, now) = (on_disk(made), on_disk(now));
    let defined = Configuration {
        shown: now.clone(),
        digest: document::sha256(now.as_bytes()),
        receipt: Some(Receipt {
            given_meaning: definition(&given).meaning().to_owned(),
            made_digest: document::sha256(given.as_bytes()),
            made: given.clone(),
            given,
        }),
        ..Configuration::default()
    };
    found(Activity::Running, defined.clone(), Some(defined))
}

#[test]
fn a_disk_is_not_put_back_to_where_it_was() {
    let snapshots = vec![Snapshot { name: "nightly".into(), overlays: vec!["/d/o".into()] }];
    let of_snapshot = Found { snapshots, ..moved("/d/base", "/d/o") };
    let given = [on_disk("/d/base"), on_disk("/d/third"), on_disk("/d/base").replace("vda", "vdb")];
    for xml in &given {
        for options in
            [json!({}), json!({"state": "shutoff"}), json!({"restart": "if_changed", "force": true})]
        {
            let message = refused(options, Some(xml), of_snapshot.clone());
            assert!(
                message.contains("found /d/o, the overlay of external snapshot nightly, and"),
                "{message}"
            );
        }
    }
    assert_eq!(
        refused(json!({}), Some(&given[0]), of_snapshot.clone()),
        "defining domain web1: expected disk vda to be /d/base, as `xml` has it, found /d/o, the overlay of external snapshot \
         nightly, and what the guest has written since is only there; merge it while the guest runs (virsh blockcommit web1 \
         vda --active --pivot), delete the snapshot (virsh snapshot-delete web1 nightly), or give /d/o in `xml`"
    );
    let message = refused(json!({}), Some(&given[0]), moved("/d/base", "/d/copy"));
    assert!(
        message.contains("found /d/copy, where a snapshot, a block copy or an edit has put it"),
        "{message}"
    );
    // What it is now may be given, and without XML nothing is put back.
    assert_eq!(
        steps(json!({"state": "present"}), Some(&on_disk("/d//o")), Some(of_snapshot.clone())),
        "define-stale (restart required)"
    );
    assert!(!steps(json!({}), None, Some(of_snapshot.clone())).contains("define"));
    // A disk that the user moves is moved.
    assert_eq!(
        steps(json!({"state": "present"}), Some(&on_disk("/d/third")), Some(moved("/d/base", "/d/base"))),
        "define (restart required)"
    );
}

#[test]
fn an_overlay_is_known_by_what_it_lies_on() {
    let layer = "<backingStore type='file'><source file='/d/base'/></backingStore></disk>";
    let lies_on = on_disk("/d/o").replace("</disk>", layer);
    for defined in [true, false] {
        let mut foreign = moved("/d/o", "/d/o");
        foreign.defined.receipt = None;
        match defined {
            true => foreign.defined.shown.clone_from(&lies_on),
            false => foreign.running.as_mut().unwrap().shown.clone_from(&lies_on),
        }
        let message = refused(json!({}), Some(&on_disk("/d/base")), foreign.clone());
        assert!(message.contains("found /d/o, the overlay of an external snapshot, and"), "{message}");
        // Of a chain that was seen in part only, the base is not known.
        let further = planned(json!({}), Some(&on_disk("/d/further")), Some(foreign));
        assert_eq!(further.is_err(), defined);
    }
}

#[test]
fn snapshots_are_removed_with_force_only() {
    let gone = |force: bool| json!({"state": "absent", "force": force});
    let snapshot = |name: &str| Snapshot { name: name.into(), overlays: Vec::new() };
    let with = Found {
        snapshots: vec![snapshot("monday"), snapshot("tuesday")],
        checkpoints: vec!["c1".into()],
        ..off()
    };
    assert_eq!(
        refused(gone(false), None, with.clone()),
        "undefining domain web1: expected no snapshots and no checkpoints, found snapshots monday, tuesday and checkpoints c1; \
         delete them first (virsh snapshot-delete, virsh checkpoint-delete), or set `force: true` to remove what libvirt knows \
         of them"
    );
    let plan = planned(gone(true), None, Some(with)).unwrap();
    assert_eq!(
        plan.warnings,
        [
            "domain web1: with it goes what libvirt knows of its snapshots monday, tuesday and checkpoints c1; what they hold \
          stays in its disks"
        ]
    );
    assert_eq!(plan.steps.iter().map(word).collect::<Vec<_>>(), ["undefine"]);
    assert!(planned(gone(true), None, Some(off())).unwrap().warnings.is_empty());
}

#[test]
fn a_restart_that_is_asked_for_is_done_whatever_runs() {
    let always = |state: &str, force: bool| json!({"state": state, "restart": "always", "force": force});
    for state in ["running", "present"] {
        for xml in [None, Some(XML)] {
            assert_eq!(steps(always(state, false), xml, Some(on())), "stop start");
        }
        assert_eq!(steps(always(state, false), Some(OTHER), Some(on())), "define stop start");
        assert_eq!(steps(always(state, true), None, Some(at(Activity::Crashed))), "stop start");
    }
    // One that is off is started where it shall run; nothing is shut down that shall be off anyway.
    assert_eq!(steps(always("running", false), None, Some(off())), "start");
    assert_eq!(steps(always("present", false), None, Some(off())), "");
    assert_eq!(steps(always("shutoff", false), None, Some(on())), "stop");
    assert_eq!(
        steps(always("running", false), None, Some(at(Activity::Paused(Pause::Asked)))),
        "resume stop start"
    );
    assert_eq!(steps(always("present", false), None, Some(at(Activity::Paused(Pause::Asked)))), "");
    let saved = Found { saved: Some(ours(XML)), ..off() };
    assert_eq!(steps(always("running", false), None, Some(saved)), "revive stop start");
    let plan = planned(always("running", false), None, Some(on())).unwrap();
    assert!(plan.changed() && plan.outcome.started && plan.outcome.state == "running");
}
