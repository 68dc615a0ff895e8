// SPDX-License-Identifier: GPL-3.0-or-later

//! ZFS volumes: looks at what is beside those of several guests, and carries out an exchange.

use std::collections::{BTreeMap, BTreeSet};
use std::slice;
use std::time::SystemTime;

use ansible_module::lock::Lock;
use ansible_module::{Reply, Task, moment};
use anyhow::{Context, Result, ensure};
use zfs_command::{DatasetName, Kind, Row, Zfs};

use super::params::{Job, Place, State};
use super::plan::{self, Before, Disk, Found, Step, Way};
use super::{marks, reply};
use crate::dataset;
use crate::properties::UNFINISHED;
use marks::Part;

/// Volumes of several guests.
pub struct Group {
    zfs: Zfs,
    found: BTreeMap<DatasetName, Found>,
    /// Under these nothing that was observed changes.
    _locks: Vec<Lock>,
}

impl Group {
    /// Looks at all of them at once.
    pub fn open(names: &[&DatasetName], task: &mut Task) -> Result<Group> {
        let zfs = dataset::find_zfs()?;
        // What is made ready is made under a lock of its own name.
        let staged: Vec<DatasetName> = names.iter().filter_map(|name| staged(name)).collect();
        let all: Vec<&DatasetName> = names.iter().copied().chain(&staged).collect();
        let locks = dataset::wait(&all, task)?;
        let found = task.phase("observe", |_| observe(&zfs, names))?;
        Ok(Group { zfs, found, _locks: locks })
    }

    /// Does what the job says with one of them.
    pub fn run(&mut self, name: &DatasetName, job: &Job, task: &mut Task) -> Result<Reply> {
        let mut found = self.found.get(name).cloned().unwrap_or_default();
        let exchanges = matches!(job.state, State::New | State::Back | State::Renamed);
        if found.root.is_some() && exchanges && !task.check_mode {
            found.user = dataset::user::of(name.as_str());
        }
        if let Some(Place::Dataset(before)) = &job.from {
            found.before = Some(Box::new(self.before(before, task)));
        }
        let wish = job.wish(name.to_string(), task);
        let plan = plan::plan(&wish, &found)?;
        if !task.check_mode {
            task.phase("apply", |_| plan.steps.iter().try_for_each(|step| carry_out(&self.zfs, step)))?;
            if exchanges {
                dataset::devices(&self.zfs, slice::from_ref(name), task)?;
            }
        }
        Ok(reply(&wish, &plan, &found, Some(dataset::device_path(name.as_str()))))
    }

    fn before(&self, name: &DatasetName, task: &Task) -> Before {
        let mut found = self.found.get(name).cloned().unwrap_or_default();
        if found.root.is_some() && !task.check_mode {
            found.user = dataset::user::of(name.as_str());
        }
        Before { name: name.to_string(), found }
    }
}

fn staged(name: &DatasetName) -> Option<DatasetName> {
    DatasetName::try_from(format!("{name}{}", marks::STAGED)).ok()
}

fn observe(zfs: &Zfs, names: &[&DatasetName]) -> Result<BTreeMap<DatasetName, Found>> {
    let folders: BTreeSet<DatasetName> = names.iter().filter_map(|name| name.parent()).collect();
    let folders: Vec<&str> = folders.iter().map(DatasetName::as_str).collect();
    let rows = zfs.list(&folders, 1)?;
    let concerned: Vec<(&DatasetName, &Row)> = rows
        .iter()
        .filter_map(|row| Some((*names.iter().find(|name| concerns(name, &row.name))?, row)))
        .collect();
    for (_, row) in &concerned {
        ensure!(
            row.kind == Kind::Volume,
            "looking at {}: expected a volume or nothing, found a file system",
            row.name
        );
    }
    let properties = properties(zfs, &concerned)?;
    let mut found: BTreeMap<DatasetName, Found> = BTreeMap::new();
    for (name, row) in concerned {
        let disk = disk(&row.name, &properties);
        let found = found.entry(name.clone()).or_default();
        match marks::part(&row.name) {
            _ if row.name == name.as_str() => found.root = Some(disk),
            Part::KeptOf(_) => found.kept.push(disk),
            Part::StagedFor(_) | Part::Own => found.staged = Some(disk),
            // A move of it was cut: nothing is exchanged for what has not come whole.
            Part::ArrivingFor(_) => {}
        }
    }
    found.values_mut().for_each(|found| found.kept.sort_by(|a, b| a.name.cmp(&b.name)));
    Ok(found)
}

fn concerns(name: &DatasetName, found: &str) -> bool {
    found == name.as_str() || marks::is_beside(found, name.as_str())
}

/// Values that are set on the volumes themselves, by volume and property.
type Properties = BTreeMap<(String, String), String>;

fn properties(zfs: &Zfs, concerned: &[(&DatasetName, &Row)]) -> Result<Properties> {
    if concerned.is_empty() {
        return Ok(Properties::new());
    }
    let ours = [marks::SWAP, marks::KEEP_UNTIL, marks::RAN, marks::LINEAGE].map(marks::property);
    let names: Vec<&str> = ours.iter().map(String::as_str).chain([UNFINISHED]).collect();
    let volumes: Vec<&str> = concerned.iter().map(|(_, row)| row.name.as_str()).collect();
    let found = zfs.get(&names.join(","), &volumes)?;
    let local = found.into_iter().filter(|property| property.local);
    Ok(local.map(|property| ((property.dataset, property.name), property.value)).collect())
}

fn disk(name: &str, properties: &Properties) -> Disk {
    let value = |property: String| properties.get(&(name.to_owned(), property));
    let (way, stale) = Way::marked(value(marks::property(marks::SWAP)).map(String::as_str));
    Disk {
        name: name.to_owned(),
        way,
        stale,
        dated: value(marks::property(marks::KEEP_UNTIL)).is_some(),
        noted: value(marks::property(marks::RAN)).is_some(),
        lineage: value(marks::property(marks::LINEAGE)).cloned(),
        hidden: value(UNFINISHED.to_owned()).is_some(),
    }
}

fn carry_out(zfs: &Zfs, step: &Step) -> Result<()> {
    let set = |name: &str, property: &str, value: &str| {
        dataset::patiently(name, || zfs.set(property, value, name))
            .with_context(|| format!("setting {property}={value} on {name}"))
    };
    let unset = |name: &str, property: &str| {
        zfs.inherit(property, name).with_context(|| format!("taking {property} from {name}"))
    };
    match step {
        Step::Mark(name, way) => {
            set(name, &marks::property(marks::SWAP), &marks::chosen(way.word(), SystemTime::now()))
        }
        Step::Unmark(name) => unset(name, &marks::property(marks::SWAP)),
        Step::Note(name) => set(name, &marks::property(marks::RAN), &moment::readable(SystemTime::now())),
        Step::Unnote(name) => unset(name, &marks::property(marks::RAN)),
        Step::Bind(name, lineage) => set(name, &marks::property(marks::LINEAGE), lineage),
        Step::Hide(name) => {
            set(name, UNFINISHED, "yes")?;
            set(name, "volmode", "none")
        }
        Step::Date(name, until) => set(name, &marks::property(marks::KEEP_UNTIL), until),
        Step::Undate(name) => unset(name, &marks::property(marks::KEEP_UNTIL)),
        Step::Rename(from, to) => dataset::patiently(from, || zfs.rename(from, to))
            .with_context(|| format!("renaming {from} to {to}")),
        Step::Show(name) => {
            match dataset::VOLMODE {
                Some(volmode) => set(name, "volmode", volmode)?,
                None => unset(name, "volmode")?,
            }
            unset(name, UNFINISHED)
        }
    }
}
