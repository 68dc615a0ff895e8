// SPDX-License-Identifier: GPL-3.0-or-later

//! Plans for what may be found, as tables.

use super::*;

const NOW: u64 = 1_795_371_300;

fn point(name: &str, kind: Kind, transaction: u64) -> Point {
    Point {
        name: name.to_owned(),
        kind,
        transaction,
        created: NOW + transaction / 10,
        used: 0,
        written: 0,
        holds: 0,
        clones: Vec::new(),
        mark: None,
    }
}

/// web with its data, both with the snapshot `a` and later `b`; nothing written since.
fn host() -> Observed {
    let mut points = Vec::new();
    for volume in ["t/web", "t/web:data"] {
        points.push(point(volume, Kind::Volume, 1));
        for (name, transaction) in [("image", 2), ("a", 10), ("b", 20)] {
            points.push(point(&format!("{volume}@{name}"), Kind::Snapshot, transaction));
        }
    }
    points.push(point("t/folder", Kind::Filesystem, 1));
    points.push(point("t/bare", Kind::Volume, 1));
    let mut observed = Observed::from_points(points);
    observed.volumes.values_mut().for_each(|volume| volume.untouched = true);
    observed
}

/// Something has been written to a volume since its newest snapshot.
fn write(observed: &mut Observed, volume: &str) {
    let volume = observed.volumes.get_mut(volume).unwrap();
    (volume.point.written, volume.untouched) = (4096, false);
}

fn snapshot_of<'a>(observed: &'a mut Observed, name: &str) -> &'a mut Point {
    let volumes = observed.volumes.values_mut();
    volumes.flat_map(|volume| &mut volume.snapshots).find(|point| point.name == name).unwrap()
}

fn job(state: State, name: &str, volumes: &[&str]) -> Job {
    let snapshots = volumes.iter().map(|volume| format!("{volume}@{name}").parse().unwrap()).collect();
    Job { snapshots, name: name.to_owned(), state, lose_newer: false, stopped_before: false }
}

/// As without check mode: whoever has a volume open is in the way.
fn plan_minding(job: &Job, observed: &Observed) -> Result<Plan> {
    plan(job, observed, true)
}

const BOTH: [&str; 2] = ["t/web", "t/web:data"];

fn refused(job: &Job, observed: &Observed) -> String {
    plan_minding(job, observed).unwrap_err().to_string()
}

#[test]
fn all_volumes_in_one_step() {
    let job = job(State::Present, "c", &BOTH);
    let planned = plan_minding(&job, &host()).unwrap();
    assert_eq!(planned.steps, [Step::Take { name: "c".to_owned(), snapshots: job.snapshots.clone() }]);
    assert_eq!(planned.before, "t/web:\n  image\n  a\n  b\nt/web:data:\n  image\n  a\n  b\n");
    assert_eq!(planned.after, "t/web:\n  image\n  a\n  b\n  c\nt/web:data:\n  image\n  a\n  b\n  c\n");
    let again = plan_minding(&job, &planned.expected(&host())).unwrap();
    assert_eq!(again.steps, []);
    assert_eq!(again.before, again.after);
}

#[test]
fn a_snapshot_of_some_volumes_is_not_completed() {
    let text = refused(&job(State::Present, "a", &["t/web", "t/bare"]), &host());
    assert!(text.contains("found it on t/web@a and not on t/bare, which came later"), "{text}");
}

#[test]
fn snapshots_of_one_name_from_several_moments_are_told() {
    let mut observed = host();
    snapshot_of(&mut observed, "t/web:data@a").created += ONE_MOMENT + 1;
    for state in [State::Present, State::RolledBack] {
        let job = Job { lose_newer: true, ..job(state, "a", &BOTH) };
        let planned = plan_minding(&job, &observed).unwrap();
        assert_eq!(
            planned.warnings,
            [
                "the snapshots a were not taken at one moment: t/web@a of 2026-11-22T18:15:01Z, t/web:data@a of 2026-11-22T18:15:12Z"
            ]
        );
    }
}

#[test]
fn what_cannot_have_a_snapshot() {
    let observed = host();
    for state in [State::Present, State::RolledBack] {
        let text = refused(&job(state, "a", &["t/web", "t/none"]), &observed);
        assert!(text.starts_with("volume t/none does not exist"), "{text}");
        let text = refused(&job(state, "a", &["t/folder"]), &observed);
        assert!(text.starts_with("t/folder is a file system"), "{text}");
    }
    let mut two = observed;
    two.volumes.insert("u/web".to_owned(), two.volumes["t/bare"].clone());
    let text = refused(&job(State::Present, "c", &["t/web", "u/web"]), &two);
    assert!(text.contains("in the pools t and u"), "{text}");
}

#[test]
fn absent_takes_what_is_there() {
    let observed = host();
    let planned = plan_minding(&job(State::Absent, "a", &["t/web", "t/bare", "t/none"]), &observed).unwrap();
    assert_eq!(planned.steps, [Step::Destroy("t/web@a".parse().unwrap())]);
    assert_eq!(plan_minding(&job(State::Absent, "none", &BOTH), &observed).unwrap().steps, []);
}

#[test]
fn absent_leaves_what_others_depend_on() {
    let mut observed = host();
    snapshot_of(&mut observed, "t/web:data@a").clones = vec!["t/x".to_owned(), "t/y".to_owned()];
    snapshot_of(&mut observed, "t/web:data@b").holds = 1;
    let text = refused(&job(State::Absent, "a", &BOTH), &observed);
    assert_eq!(
        text,
        "snapshot t/web:data@a cannot be destroyed: clones are made of it: t/x, t/y; remove those first"
    );
    let text = refused(&job(State::Absent, "b", &BOTH), &observed);
    assert_eq!(text, "snapshot t/web:data@b cannot be destroyed: it is held; see `zfs holds t/web:data@b`");
    let lost = Job { lose_newer: true, ..job(State::RolledBack, "a", &BOTH) };
    assert!(refused(&lost, &observed).starts_with("snapshot t/web:data@b cannot be destroyed: it is held"));
}

#[test]
fn what_is_as_it_was_is_left_alone() {
    let mut observed = host();
    let job = job(State::RolledBack, "b", &BOTH);
    // What a rollback itself leaves as written.
    observed.volumes.get_mut("t/web").unwrap().point.written = 1024;
    assert_eq!(plan_minding(&job, &observed).unwrap().steps, []);
    write(&mut observed, "t/web:data");
    let planned = plan_minding(&job, &observed).unwrap();
    assert_eq!(planned.steps, [Step::RollBack("t/web:data@b".parse().unwrap())]);
    assert!(
        planned.before.ends_with("  b\n  and 4K since\n")
            && planned.after.ends_with("  b\n  and nothing since\n")
    );
}

#[test]
fn a_volume_that_is_open_is_never_as_it_was() {
    let mut observed = host();
    let web = observed.volumes.get_mut("t/web").unwrap();
    (web.untouched, web.user) = (false, Some("process 1 (qemu)".to_owned()));
    let job = Job { stopped_before: true, ..job(State::RolledBack, "b", &BOTH) };
    let planned = plan(&job, &observed, false).unwrap();
    assert_eq!(planned.steps, [Step::RollBack("t/web@b".parse().unwrap())]);
    assert!(planned.before.contains("t/web:\n  image\n  a\n  b\n  and what is being written\n"));
    assert!(refused(&job, &observed).starts_with("t/web cannot be rolled back while process 1 (qemu)"));
}

#[test]
fn what_a_cut_has_left_is_done_by_the_next_run() {
    let mut observed = host();
    // web is back, its data are not.
    observed.volumes.get_mut("t/web").unwrap().snapshots.pop();
    let job = Job { lose_newer: true, ..job(State::RolledBack, "a", &BOTH) };
    let planned = plan_minding(&job, &observed).unwrap();
    assert_eq!(planned.steps, [Step::RollBack("t/web:data@a".parse().unwrap())]);
    assert_eq!(planned.lost, ["t/web:data@b"]);
    assert_eq!(plan_minding(&job, &planned.expected(&observed)).unwrap().steps, []);
}

#[test]
fn a_rollback_says_what_it_would_lose() {
    let text = refused(&job(State::RolledBack, "a", &BOTH), &host());
    assert!(
        text.contains("would lose newer snapshots: t/web@b, t/web:data@b; say lose_newer=true"),
        "{text}"
    );
    let mut observed = host();
    snapshot_of(&mut observed, "t/web@a").transaction = 1;
    observed.volumes.get_mut("t/web").unwrap().snapshots.sort_by_key(|point| point.transaction);
    let lose = Job { lose_newer: true, ..job(State::RolledBack, "a", &BOTH) };
    let text = refused(&lose, &observed);
    assert!(text.contains("would lose t/web@image, by which the volume's image is known"), "{text}");
}

#[test]
fn nothing_is_rolled_back_while_one_volume_is_used_or_has_no_such_snapshot() {
    let mut observed = host();
    write(&mut observed, "t/web:data");
    observed.volumes.get_mut("t/web:data").unwrap().user = Some("process 1 (qemu)".to_owned());
    let text = refused(&job(State::RolledBack, "b", &BOTH), &observed);
    assert_eq!(
        text,
        "t/web:data cannot be rolled back while process 1 (qemu) has it open: stop the guest first"
    );
    let text = refused(&job(State::RolledBack, "b", &["t/web", "t/bare"]), &observed);
    assert!(text.contains("found none of t/bare; a volume that came later"), "{text}");
    let text = refused(&job(State::RolledBack, "z", &BOTH), &observed);
    assert!(text.contains("found none of t/web, t/web:data; apiary.bhyve.list"), "{text}");
}
