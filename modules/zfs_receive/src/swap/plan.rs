// SPDX-License-Identifier: GPL-3.0-or-later

//! From what is there to the steps of an exchange. Pure.
//!
//! Two renames are not one: between them no volume has the guest's name. What is to become the volume is therefore marked before the
//! first, and keeps the mark until its guest has been started, so that the same call again finds out how far it had come.

use std::fmt::Write;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ansible_module::moment;
use anyhow::{Context, Result, ensure};

use super::params::State;
use crate::marks;

pub use found::{Before, Disk, Found};

/// How a volume came to be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// It was made ready.
    New,
    /// It had been kept.
    Back,
}

impl Way {
    /// As a mark has it.
    pub fn word(self) -> &'static str {
        match self {
            Way::New => "new",
            Way::Back => "back",
        }
    }

    /// Of the mark of a volume, and whether it is too long ago to count.
    pub fn marked(mark: Option<&str>) -> (Option<Way>, bool) {
        let Some(mark) = mark else { return (None, false) };
        let (word, stale) = marks::choice(mark, SystemTime::now());
        ([Way::New, Way::Back].into_iter().find(|way| way.word() == word), stale)
    }
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// Name of the volume.
    pub name: String,
    /// What it is to be.
    pub state: State,
    /// Now, since 1970.
    pub now: Duration,
    /// Until when what is put aside is kept.
    pub until: String,
    /// Nothing will be done, so that what is made before may be missing.
    pub rehearsal: bool,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Note how this volume was chosen.
    Mark(String, Way),
    /// Take that mark away.
    Unmark(String),
    /// Note that its guest runs.
    Note(String),
    /// Take that note away.
    Unnote(String),
    /// Write down whose it is.
    Bind(String, String),
    /// Withhold its device until it has its name.
    Hide(String),
    /// Note until when it is kept.
    Date(String, String),
    /// It is not kept any more.
    Undate(String),
    /// Give it another name.
    Rename(String, String),
    /// Give it its device.
    Show(String),
}

/// All steps, and what they come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// In this order.
    pub steps: Vec<Step>,
    /// What becomes the volume.
    pub from: Option<String>,
    /// Where the present one is kept.
    pub replaced: Option<String>,
}

/// Plans an exchange.
///
/// # Errors
/// Where there is nothing to exchange for, or somebody uses the volume.
pub fn plan(wish: &Wish, found: &Found) -> Result<Plan> {
    match wish.state {
        State::New => new(wish, found),
        State::Back => back(wish, found),
        State::Noted => Ok(noted(found)),
        State::Settled => Ok(settled(found)),
        State::Renamed => renamed::plan(wish, found),
    }
}

fn new(wish: &Wish, found: &Found) -> Result<Plan> {
    let ready = format!("{}{}", wish.name, marks::STAGED);
    match (&found.staged, &found.root) {
        (Some(staged), _) => exchange(wish, found, staged, Way::New),
        (None, Some(root)) if root.is_done(Way::New) => Ok(Plan { steps: shown(root), ..Plan::default() }),
        (None, _) => {
            ensure!(
                wish.rehearsal,
                "exchanging {}: expected the new volume as {ready}, found none; make it first",
                wish.name
            );
            exchange(wish, found, &Disk { name: ready, ..Disk::default() }, Way::New)
        }
    }
}

fn back(wish: &Wish, found: &Found) -> Result<Plan> {
    let chosen = found.own().rfind(|disk| disk.way == Some(Way::Back));
    match (chosen, &found.root) {
        (None, Some(root)) if root.is_done(Way::Back) => Ok(Plan { steps: shown(root), ..Plan::default() }),
        _ => {
            let disk = chosen.or(found.own().last()).with_context(|| nothing_kept(wish, found))?;
            exchange(wish, found, disk, Way::Back)
        }
    }
}

fn nothing_kept(wish: &Wish, found: &Found) -> String {
    let name = &wish.name;
    let others: Vec<&str> = found.kept.iter().map(|disk| disk.name.as_str()).collect();
    match others.as_slice() {
        [] => format!("going back to the volume before {name}: none is kept as {name}.old-YYYYMMDDTHHMMSSZ"),
        others => format!(
            "going back to the volume before {name}: expected one that an exchange of this guest has put aside, found {}, put aside \
             otherwise or for a guest that had its name before; rename it yourself if you want it",
            others.join(", ")
        ),
    }
}

/// A run that died before it could show the volume has left it without its device.
fn shown(root: &Disk) -> Vec<Step> {
    root.hidden.then(|| Step::Show(root.name.clone())).into_iter().collect()
}

fn exchange(wish: &Wish, found: &Found, disk: &Disk, way: Way) -> Result<Plan> {
    if let (Some(user), Some(root)) = (&found.user, &found.root)
        && !wish.rehearsal
    {
        anyhow::bail!("exchanging {}: {user} has it open; stop the guest first", root.name);
    }
    let mut plan = Plan { from: Some(disk.name.clone()), ..Plan::default() };
    // An exchange that was given up has left its mark.
    let given_up = found.kept.iter().filter(|kept| kept.way.is_some() && kept.name != disk.name);
    plan.steps.extend(given_up.map(|kept| Step::Unmark(kept.name.clone())));
    if disk.way != Some(way) || disk.stale {
        plan.steps.push(Step::Mark(disk.name.clone(), way));
    }
    if way == Way::New {
        plan.steps.push(Step::Hide(disk.name.clone()));
    }
    if let Some(root) = &found.root {
        let lineage = root.lineage.clone().unwrap_or_else(|| wish.now.as_nanos().to_string());
        let unbound = [disk, root].into_iter().filter(|disk| disk.lineage.as_ref() != Some(&lineage));
        plan.steps.extend(unbound.map(|disk| Step::Bind(disk.name.clone(), lineage.clone())));
        let kept = free_name(wish, found);
        plan.steps.push(Step::Date(root.name.clone(), wish.until.clone()));
        plan.steps.extend(root.way.map(|_| Step::Unmark(root.name.clone())));
        plan.steps.push(Step::Rename(root.name.clone(), kept.clone()));
        plan.replaced = Some(kept);
    }
    plan.steps.push(Step::Rename(disk.name.clone(), wish.name.clone()));
    if way == Way::New || disk.hidden {
        plan.steps.push(Step::Show(wish.name.clone()));
    }
    if disk.dated {
        plan.steps.push(Step::Undate(wish.name.clone()));
    }
    Ok(plan)
}

/// Of this second, or of the first one that no volume is kept from.
fn free_name(wish: &Wish, found: &Found) -> String {
    let mut time = UNIX_EPOCH + wish.now;
    loop {
        let name = marks::kept(&wish.name, &moment::readable(time).replace(['-', ':'], ""));
        if !found.kept.iter().any(|kept| kept.name == name) {
            return name;
        }
        time += Duration::from_secs(1);
    }
}

/// A guest that runs has its volume; one that has none has nothing to note.
fn noted(found: &Found) -> Plan {
    Plan { steps: found.root.iter().map(|root| Step::Note(root.name.clone())).collect(), ..Plan::default() }
}

/// The guest has been started: from now on, the same call means another exchange.
fn settled(found: &Found) -> Plan {
    let mut steps = Vec::new();
    if let Some(root) = &found.root {
        steps.extend(root.dated.then(|| Step::Undate(root.name.clone())));
        // Last, so that a call that is cut here is still known to be the same.
        let all: Vec<&Disk> = found.kept.iter().chain(&found.staged).chain([root]).collect();
        steps.extend(all.iter().filter(|disk| disk.noted).map(|disk| Step::Unnote(disk.name.clone())));
        steps
            .extend(all.iter().filter(|disk| disk.way.is_some()).map(|disk| Step::Unmark(disk.name.clone())));
    }
    Plan { steps, ..Plan::default() }
}

impl Plan {
    /// Whether anything that a user sees changes: marks do not count.
    pub fn changed(&self) -> bool {
        self.steps.iter().any(|step| matches!(step, Step::Rename(..) | Step::Show(_)))
    }

    /// What is there and what will be, line by line.
    pub fn difference(&self, wish: &Wish, found: &Found) -> (String, String) {
        let (mut before, mut after) = (String::new(), String::new());
        if wish.state == State::Renamed {
            return renamed::difference(&self.steps);
        }
        let (Some(from), name) = (&self.from, &wish.name) else { return (before, after) };
        // Writing to a String does not fail.
        if found.root.is_some() {
            let _ = writeln!(before, "{name}: the present volume");
        }
        let _ = writeln!(before, "{from}: what it is exchanged for");
        let _ = writeln!(after, "{name}: what was {from}");
        if let Some(kept) = &self.replaced {
            let _ = writeln!(after, "{kept}: the volume before, kept until {}", wish.until);
        }
        (before, after)
    }
}

mod found;
mod renamed;
#[cfg(test)]
mod tests;
