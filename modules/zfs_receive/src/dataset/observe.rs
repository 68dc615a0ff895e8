// SPDX-License-Identifier: GPL-3.0-or-later

//! What is there: datasets, their snapshots, origins and properties. Reads only.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use zfs_command::{DatasetName, Guid, Kind, Row, Zfs};

use super::request::Present;
use super::user;
use crate::cut::Beside;
use crate::job::Wanted;
use crate::marks;
use crate::properties::UNFINISHED;

/// Properties looked at in any case.
const ALWAYS: [&str; 1] = [UNFINISHED];

/// A property as found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Value as `zfs get -p` prints it.
    pub value: String,
    /// Set on the dataset itself.
    pub local: bool,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// Datasets and snapshots by name.
    pub rows: BTreeMap<String, Row>,
    /// Properties by dataset and name.
    pub properties: BTreeMap<(String, String), Found>,
    /// Volumes whose device somebody has open, and who, where that was looked at.
    pub users: BTreeMap<String, String>,
    /// Volumes that are kept of those that are missing, or made ready for them.
    pub beside: Vec<Beside>,
    /// The time, as `20261122T181500Z`.
    pub moment: String,
}

impl Observed {
    /// Snapshots of `dataset`, oldest first as `zfs list` has them.
    pub fn snapshots<'a>(&'a self, dataset: &str) -> impl Iterator<Item = &'a Row> {
        let prefix = format!("{dataset}@");
        self.rows.values().filter(move |row| row.name.starts_with(&prefix))
    }

    /// The snapshot with this guid that `dataset` has or was cloned from.
    pub fn snapshot_of(&self, dataset: &Row, guid: Guid) -> Option<&Row> {
        let origin = dataset.origin.as_ref().and_then(|origin| self.rows.get(origin));
        self.snapshots(&dataset.name).chain(origin).find(|snapshot| snapshot.guid == guid)
    }

    /// A property of `dataset` as found.
    pub fn property(&self, dataset: &str, name: &str) -> Option<&Found> {
        self.properties.get(&(dataset.to_owned(), name.to_owned()))
    }

    /// Whether a dead run has left `volume` without its device.
    pub fn unfinished(&self, volume: &str) -> bool {
        self.property(volume, UNFINISHED).is_some_and(|mark| mark.local)
    }

    /// The `volmode` that a volume of this name inherits.
    pub fn inherited_volmode(&self, name: &DatasetName) -> Option<&str> {
        self.rows.get(name.parent()?.as_str())?.volmode.as_deref()
    }

    /// Looks once more at a dataset that has changed, and at its snapshots.
    pub fn look_again(&mut self, zfs: &Zfs, name: &DatasetName) -> Result<()> {
        self.rows.remove(&name.unfinished());
        self.add(zfs.list(&[name.as_str()], 1)?);
        Ok(())
    }

    /// Leaves out a volume that was destroyed, or in check mode would have been: nothing is a clone of it, and it is nobody's clone.
    pub fn forget(&mut self, name: &DatasetName) {
        let snapshots = format!("{name}@");
        self.rows.retain(|row, _| row != name.as_str() && !row.starts_with(&snapshots));
        for row in self.rows.values_mut() {
            row.clones.retain(|clone| clone != name.as_str());
        }
    }

    fn add(&mut self, rows: Vec<Row>) {
        self.rows.extend(rows.into_iter().map(|row| (row.name.clone(), row)));
    }
}

/// Looks at everything that volumes of `request` depend on.
pub fn present(zfs: &Zfs, request: &Present) -> Result<Observed> {
    let names = request.names();
    let mut observed = datasets(zfs, &names, parents(&names))?;
    if let Some(images) =
        request.golden.as_ref().and_then(DatasetName::parent).filter(|_| request.image.base.is_some())
    {
        observed.add(zfs.list(&[images.as_str()], 2)?);
    }
    origins(zfs, &mut observed)?;
    properties(zfs, &request.volumes, &mut observed)?;
    beside(zfs, &request.volumes, &mut observed)?;
    if request.replace {
        users(&names, user::of, &mut observed);
    }
    Ok(observed)
}

/// Looks at everything that volumes depend on which may hold anything.
pub fn blank(zfs: &Zfs, volumes: &[Wanted]) -> Result<Observed> {
    let names: Vec<&DatasetName> = volumes.iter().map(|wanted| &wanted.name).collect();
    let mut observed = datasets(zfs, &names, parents(&names))?;
    properties(zfs, volumes, &mut observed)?;
    beside(zfs, volumes, &mut observed)?;
    Ok(observed)
}

/// Looks at volumes that are to be destroyed; at who uses them only in passing where nothing will be done.
pub fn absent(zfs: &Zfs, volumes: &[DatasetName], in_passing: bool) -> Result<Observed> {
    let names: Vec<&DatasetName> = volumes.iter().collect();
    let mut observed = datasets(zfs, &names, BTreeSet::new())?;
    users(&names, if in_passing { user::now } else { user::of }, &mut observed);
    Ok(observed)
}

/// Looks at volumes, their snapshots, and what they are clones of.
pub fn volumes(zfs: &Zfs, names: &[&str]) -> Result<Observed> {
    let mut observed = Observed::default();
    observed.add(zfs.list(names, 1)?);
    origins(zfs, &mut observed)?;
    Ok(observed)
}

fn parents(names: &[&DatasetName]) -> BTreeSet<String> {
    names.iter().filter_map(|name| name.parent()).map(String::from).collect()
}

/// Datasets of these names, what dead runs have left of them, their snapshots, and `others` without theirs.
fn datasets(zfs: &Zfs, names: &[&DatasetName], others: BTreeSet<String>) -> Result<Observed> {
    let mut all = others;
    all.extend(names.iter().flat_map(|name| [name.to_string(), name.unfinished()]));
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let mut observed = Observed { moment: ansible_module::moment::now(), ..Observed::default() };
    observed.add(zfs.list(&all, 0)?);
    let there: Vec<&str> =
        names.iter().map(|name| name.as_str()).filter(|name| observed.rows.contains_key(*name)).collect();
    if !there.is_empty() {
        let rows = zfs.list(&there, 1)?;
        observed.add(rows);
    }
    Ok(observed)
}

fn origins(zfs: &Zfs, observed: &mut Observed) -> Result<()> {
    let origins: BTreeSet<String> = observed.rows.values().filter_map(|row| row.origin.clone()).collect();
    let unknown: Vec<&str> =
        origins.iter().map(String::as_str).filter(|origin| !observed.rows.contains_key(*origin)).collect();
    if !unknown.is_empty() {
        let rows = zfs.list(&unknown, 0)?;
        observed.add(rows);
    }
    Ok(())
}

fn properties(zfs: &Zfs, volumes: &[Wanted], observed: &mut Observed) -> Result<()> {
    let there =
        |name: &&DatasetName| observed.rows.get(name.as_str()).is_some_and(|row| row.kind == Kind::Volume);
    let present: Vec<&str> =
        volumes.iter().map(|wanted| &wanted.name).filter(there).map(DatasetName::as_str).collect();
    if present.is_empty() {
        return Ok(());
    }
    let asked = volumes.iter().flat_map(|wanted| wanted.properties.iter().map(|(name, _)| name));
    let names: BTreeSet<&str> = ALWAYS.into_iter().chain(asked).collect();
    let names = names.into_iter().collect::<Vec<_>>().join(",");
    for property in zfs.get(&names, &present)? {
        let found = Found { value: property.value, local: property.local };
        observed.properties.insert((property.dataset, property.name), found);
    }
    Ok(())
}

/// What an exchange may have left of volumes that are missing.
fn beside(zfs: &Zfs, volumes: &[Wanted], observed: &mut Observed) -> Result<()> {
    let missing: Vec<&DatasetName> = volumes
        .iter()
        .map(|wanted| &wanted.name)
        .filter(|name| !observed.rows.contains_key(name.as_str()))
        .collect();
    let mut folders = parents(&missing);
    folders.retain(|folder| observed.rows.contains_key(folder));
    if folders.is_empty() {
        return Ok(());
    }
    let rows = zfs.list(&folders.iter().map(String::as_str).collect::<Vec<_>>(), 1)?;
    let of_missing = |row: &&Row| missing.iter().any(|name| marks::is_beside(&row.name, name.as_str()));
    let found: Vec<&str> = rows.iter().filter(of_missing).map(|row| row.name.as_str()).collect();
    if found.is_empty() {
        return Ok(());
    }
    let properties = zfs.get(&marks::property(marks::SWAP), &found)?;
    let told = properties
        .into_iter()
        .map(|property| Beside { name: property.dataset, mark: property.local.then_some(property.value) });
    observed.beside.extend(told);
    Ok(())
}

fn users(names: &[&DatasetName], user_of: fn(&str) -> Option<String>, observed: &mut Observed) {
    for name in names {
        if observed.rows.contains_key(name.as_str())
            && let Some(user) = user_of(name.as_str())
        {
            observed.users.insert(name.to_string(), user);
        }
    }
}
