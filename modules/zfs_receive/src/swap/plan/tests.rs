// SPDX-License-Identifier: GPL-3.0-or-later

use super::*;

const WEB: &str = "t/web";
const NEXT: &str = "t/web.redeploy";
const UNTIL: &str = "2026-11-29T18:15:00Z";

fn wish(state: State) -> Wish {
    // 2026-11-22T18:15:00Z
    let now = Duration::from_secs(1_795_371_300);
    Wish { name: WEB.to_owned(), state, now, until: UNTIL.to_owned(), rehearsal: false }
}

fn disk(name: &str) -> Disk {
    Disk { name: name.to_owned(), ..Disk::default() }
}

/// Of the one guest that all of these are of.
fn own(name: &str) -> Disk {
    Disk { lineage: Some("7".to_owned()), ..disk(name) }
}

fn old(day: u32) -> String {
    format!("t/web.old-202611{day:02}T000000Z")
}

/// Volumes by name, each with what was written to it: a stand-in for a pool.
#[derive(Clone, Debug, PartialEq)]
struct Host(Vec<(Disk, &'static str)>);

impl Host {
    fn of(disks: &[(&str, &'static str)]) -> Host {
        Host(disks.iter().map(|(name, content)| (own(name), *content)).collect())
    }

    fn found(&self) -> Found {
        let disks = || self.0.iter().map(|(disk, _)| disk.clone());
        let mut kept: Vec<Disk> =
            disks().filter(|disk| marks::part(&disk.name) == marks::Part::KeptOf(WEB)).collect();
        kept.sort_by(|a, b| a.name.cmp(&b.name));
        let named = |name: &str| disks().find(|disk| disk.name == name);
        Found { root: named(WEB), staged: named(NEXT), kept, ..Found::default() }
    }

    fn carry_out(&mut self, step: &Step) {
        let taken = |to: &str, host: &Host| host.0.iter().any(|(disk, _)| disk.name == to);
        if let Step::Rename(_, to) = step {
            assert!(!taken(to, self), "{to} is there already: {self:?}");
        }
        let name = match step {
            Step::Mark(name, _) | Step::Date(name, _) | Step::Rename(name, _) | Step::Bind(name, _) => name,
            Step::Unmark(name) | Step::Hide(name) | Step::Undate(name) | Step::Show(name) => name,
            Step::Note(name) | Step::Unnote(name) => name,
        };
        let disk = &mut self.0.iter_mut().find(|(disk, _)| disk.name == *name).expect("a volume").0;
        match step {
            Step::Mark(_, way) => (disk.way, disk.stale) = (Some(*way), false),
            Step::Unmark(_) => disk.way = None,
            Step::Note(_) => disk.noted = true,
            Step::Unnote(_) => disk.noted = false,
            Step::Bind(_, lineage) => disk.lineage = Some(lineage.clone()),
            Step::Hide(_) => disk.hidden = true,
            Step::Show(_) => disk.hidden = false,
            Step::Date(..) => disk.dated = true,
            Step::Undate(_) => disk.dated = false,
            Step::Rename(_, to) => disk.name.clone_from(to),
        }
    }

    fn run(&mut self, state: State, steps: usize) -> Plan {
        let plan = plan(&wish(state), &self.found()).unwrap();
        plan.steps.iter().take(steps).for_each(|step| self.carry_out(step));
        plan
    }

    /// What each name holds, and whether the volume has its device.
    fn contents(&self) -> Vec<(&str, &str)> {
        let mut all: Vec<_> = self.0.iter().map(|(disk, content)| (disk.name.as_str(), *content)).collect();
        all.sort_unstable();
        all
    }

    fn root(&self) -> (&str, bool) {
        let (disk, content) = self.0.iter().find(|(disk, _)| disk.name == WEB).expect("a root");
        (content, disk.hidden)
    }
}

const ALL: usize = usize::MAX;

#[test]
fn the_new_one_takes_the_name_and_the_old_one_is_kept() {
    let mut host = Host::of(&[(WEB, "first"), (NEXT, "second")]);
    let plan = host.run(State::New, ALL);
    let kept = "t/web.old-20261122T181500Z";
    assert_eq!((plan.from.as_deref(), plan.replaced.as_deref()), (Some(NEXT), Some(kept)));
    assert_eq!(host.contents(), [(WEB, "second"), (kept, "first")]);
    assert!(host.found().kept[0].dated && plan.changed());
    let (before, after) =
        plan.difference(&wish(State::New), &Found { root: Some(disk(WEB)), ..Found::default() });
    assert_eq!(before, "t/web: the present volume\nt/web.redeploy: what it is exchanged for\n");
    assert_eq!(
        after,
        "t/web: what was t/web.redeploy\nt/web.old-20261122T181500Z: the volume before, kept until 2026-11-29T18:15:00Z\n"
    );
}

#[test]
fn a_guest_that_has_no_volume_yet_gets_the_new_one() {
    let mut host = Host::of(&[(NEXT, "first")]);
    assert_eq!(host.run(State::New, ALL).replaced, None);
    assert_eq!(host.contents(), [(WEB, "first")]);
}

/// Wherever a run dies, the same call again has one new volume and the old one kept, and once more changes nothing.
#[test]
fn a_new_one_that_was_cut_at_any_step_converges() {
    let begin = Host::of(&[(WEB, "first"), (NEXT, "second")]);
    let steps = plan(&wish(State::New), &begin.found()).unwrap().steps.len();
    assert!(steps >= 6);
    for cut in 0..=steps {
        let mut host = begin.clone();
        host.run(State::New, cut);
        host.run(State::New, ALL);
        assert_eq!(host.root(), ("second", false), "cut after {cut}");
        assert_eq!(host.contents().len(), 2, "cut after {cut}: {host:?}");
        assert!(!host.run(State::New, ALL).changed(), "cut after {cut}");
        host.run(State::Settled, ALL);
        assert!(plan(&wish(State::New), &host.found()).is_err(), "asked for again without a new one");
    }
}

#[test]
fn a_way_back_that_was_cut_at_any_step_never_picks_the_wrong_one() {
    let (first, second) = (old(1), old(2));
    let begin = Host::of(&[(WEB, "third"), (&first, "first"), (&second, "second")]);
    let steps = plan(&wish(State::Back), &begin.found()).unwrap().steps.len();
    for cut in 0..=steps {
        let mut host = begin.clone();
        host.run(State::Back, cut);
        host.run(State::Back, ALL);
        assert_eq!(host.root(), ("second", false), "cut after {cut}");
        assert_eq!(host.contents().len(), 3, "cut after {cut}");
        assert!(!host.run(State::Back, ALL).changed(), "cut after {cut}");
        // Back and forth is symmetrical: what was put aside last comes next.
        host.run(State::Settled, ALL);
        host.run(State::Back, ALL);
        assert_eq!(host.root(), ("third", false), "cut after {cut}");
    }
}

#[test]
fn one_way_that_was_cut_does_not_lead_the_other_astray() {
    let first = old(1);
    let begin = Host::of(&[(WEB, "second"), (NEXT, "third"), (&first, "first")]);
    for (one, other, expected) in
        [(State::New, State::Back, ["first", "second"]), (State::Back, State::New, ["third"; 2])]
    {
        let steps = plan(&wish(one), &begin.found()).unwrap().steps.len();
        for cut in 0..=steps {
            let mut host = begin.clone();
            host.run(one, cut);
            host.run(other, ALL);
            assert!(expected.contains(&host.root().0) && !host.root().1, "{one:?} cut after {cut}: {host:?}");
            assert_eq!(host.contents().len(), 3);
            let mut all: Vec<&str> = host.contents().iter().map(|(_, content)| *content).collect();
            all.sort_unstable();
            assert_eq!(all, ["first", "second", "third"]);
        }
    }
}

/// Somebody has started the guest otherwise, and long ago: the call is for another exchange.
#[test]
fn a_mark_that_was_left_behind_does_not_stand_in_the_way() {
    let first = old(1);
    for (state, way) in [(State::New, Way::New), (State::Back, Way::Back)] {
        let mut host = Host::of(&[(WEB, "second"), (NEXT, "third"), (&first, "first")]);
        host.0[0].0.way = Some(way);
        host.0[0].0.stale = true;
        host.run(state, ALL);
        assert_eq!(host.root().0, if state == State::New { "third" } else { "first" });
        assert!(host.found().kept.iter().all(|kept| kept.way.is_none()), "{host:?}");
    }
}

#[test]
fn names_are_not_taken_twice_within_a_second() {
    let mut host = Host::of(&[(WEB, "first"), ("t/web.old-20261122T181500Z", "zeroth"), (NEXT, "second")]);
    let plan = host.run(State::New, ALL);
    assert_eq!(plan.replaced.as_deref(), Some("t/web.old-20261122T181501Z"));
}

#[test]
fn refusals() {
    let host = Host::of(&[(WEB, "first")]);
    let refused = |wish: &Wish, found: &Found| plan(wish, found).unwrap_err().to_string();
    assert_eq!(
        refused(&wish(State::New), &host.found()),
        "exchanging t/web: expected the new volume as t/web.redeploy, found none; make it first"
    );
    assert_eq!(
        refused(&wish(State::Back), &host.found()),
        "going back to the volume before t/web: none is kept as t/web.old-YYYYMMDDTHHMMSSZ"
    );
    let ready = Host::of(&[(WEB, "first"), (NEXT, "second")]);
    let used = Found { user: Some("process 12 (bhyve)".to_owned()), ..ready.found() };
    assert_eq!(
        refused(&wish(State::New), &used),
        "exchanging t/web: process 12 (bhyve) has it open; stop the guest first"
    );
    // Check mode, before anything has been made and anybody was stopped.
    let rehearsal = Wish { rehearsal: true, ..wish(State::New) };
    assert!(plan(&rehearsal, &Found { staged: None, ..used }).unwrap().changed());
}

fn lineages(host: &Host) -> Vec<Option<&str>> {
    host.0.iter().map(|(disk, _)| disk.lineage.as_deref()).collect()
}

/// A guest that was removed and is there again has a volume that no exchange has touched yet.
#[test]
fn a_volume_of_another_guest_of_that_name_does_not_come_back() {
    let mut host = Host::of(&[(WEB, "second"), (&old(1), "removed")]);
    host.0[0].0.lineage = None;
    let refused = |host: &Host| plan(&wish(State::Back), &host.found()).unwrap_err().to_string();
    let expected = "going back to the volume before t/web: expected one that an exchange of this guest has put aside, found \
                    t/web.old-20261101T000000Z, put aside otherwise or for a guest that had its name before; rename it yourself if you \
                    want it";
    assert_eq!(refused(&host), expected);
    // Nor where it was chosen by a call that was cut, or the guest has no volume yet.
    host.0[1].0.way = Some(Way::Back);
    assert_eq!(refused(&host), expected);
    assert_eq!(refused(&Host::of(&[(&old(1), "removed")])), expected);

    // An exchange of its own is undone, and what has been there before is left alone.
    host.0.push((disk(NEXT), "third"));
    host.run(State::New, ALL);
    host.run(State::Settled, ALL);
    assert_eq!(lineages(&host), [Some("1795371300000000000"), Some("7"), Some("1795371300000000000")]);
    host.run(State::Back, ALL);
    assert_eq!(host.root(), ("second", false));
    host.run(State::Settled, ALL);
    host.run(State::Back, ALL);
    assert_eq!(host.root(), ("third", false));
}

#[test]
fn whose_a_volume_is_is_known_wherever_a_run_dies() {
    let mut begin = Host::of(&[(WEB, "first"), (NEXT, "second")]);
    begin.0.iter_mut().for_each(|(disk, _)| disk.lineage = None);
    let steps = plan(&wish(State::New), &begin.found()).unwrap().steps.len();
    for cut in 0..=steps {
        let mut host = begin.clone();
        host.run(State::New, cut);
        host.run(State::New, ALL);
        host.run(State::Settled, ALL);
        assert_eq!(lineages(&host), [Some("1795371300000000000"); 2], "cut after {cut}");
        host.run(State::Back, ALL);
        assert_eq!(host.root(), ("first", false), "cut after {cut}");
    }
}

/// Noted before it is stopped, known until it has been started.
#[test]
fn that_a_guest_ran_is_known_wherever_a_run_dies() {
    let mut begin = Host::of(&[(WEB, "second"), (NEXT, "third"), (&old(1), "first")]);
    begin.run(State::Noted, ALL);
    let noted = |host: &Host| host.0.iter().filter(|(disk, _)| disk.noted).count();
    for state in [State::New, State::Back] {
        let steps = plan(&wish(state), &begin.found()).unwrap().steps.len();
        for cut in 0..=steps {
            let mut host = begin.clone();
            assert!(!host.run(State::Noted, ALL).changed());
            host.run(state, cut);
            assert_eq!(noted(&host), 1, "cut after {cut}");
            host.run(state, ALL);
            assert_eq!(noted(&host), 1, "cut after {cut}");
            assert!(!host.run(State::Settled, ALL).changed());
            assert_eq!(noted(&host), 0, "cut after {cut}");
        }
    }
    // Without a volume there is nothing to note it on.
    assert_eq!(Host::of(&[(NEXT, "third")]).run(State::Noted, ALL), Plan::default());
}
