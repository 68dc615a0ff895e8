// SPDX-License-Identifier: GPL-3.0-or-later

//! What is there: the domain, and, where it is about to be defined, what its definition must fit. Reads only.

use std::path::PathBuf;

use ansible_module::identity::{MacBlock, mac_of, uuid_of};
use anyhow::{Context, Result};
use roxmltree::Document;
use uuid::Uuid;

use crate::activity::Activity;
use crate::autostart::Start;
use crate::bhyve::losses::{Driver, Loss, losses};
use crate::bhyve::{self, Process};
use crate::definition::{Definition, macs_of};
use crate::disks::Snapshot;
use crate::former::Former;
use crate::guest::{Form, Guest};
use crate::hypervisor::{Hypervisor, Version};
use crate::names::ConnectUri;
use crate::params::{Params, State};
use crate::receipt::{Configuration, Receipt};
use crate::turn;

/// What was found.
#[derive(Debug, Default)]
pub struct Observed {
    /// The domain, if there is one.
    pub found: Option<Found>,
    /// What a definition must fit; only where one is due.
    pub surroundings: Option<Surroundings>,
    /// libvirt's version where its driver is bhyve's, which has ways of its own.
    pub bhyve: Option<Version>,
    /// It shall start in its turn, and nobody on this machine would see to that.
    pub lacks_script: bool,
    /// The domain under the name that it had, where it is renamed.
    pub former: Option<Former>,
    /// Nothing will be done, so that what is done before may not have been.
    pub rehearsal: bool,
}

/// A domain that is there.
#[derive(Clone, Debug)]
pub struct Found {
    /// Its UUID.
    pub uuid: Uuid,
    /// What it does.
    pub activity: Activity,
    /// Whether its definition outlives its running instance.
    pub persistent: bool,
    /// How it starts with the host.
    pub start: Start,
    /// What it will be at its next start.
    pub defined: Configuration,
    /// What its running instance is.
    pub running: Option<Configuration>,
    /// What its saved memory runs, from which its next start goes on.
    pub saved: Option<Configuration>,
    /// The receipt of a definition that was given since it was started, where the driver does not show that as `defined`.
    pub waiting: Option<Receipt>,
    /// Its process was killed, which the driver has not seen: it takes the domain for running.
    pub killed: bool,
    /// What libvirt keeps of its snapshots; looked up only where it is defined anew or removed.
    pub snapshots: Vec<Snapshot>,
    /// The names of its checkpoints; looked up in the same way.
    pub checkpoints: Vec<String>,
}

impl Found {
    /// The instance that is or will be there without a new one being booted.
    pub(crate) fn instance(&self) -> Option<&Configuration> {
        self.running.as_ref().or(self.saved.as_ref())
    }
}

/// How the domain starts with the host; not at all where there is none.
pub(crate) fn start_of(found: Option<&Found>) -> Start {
    found.map(|found| found.start).unwrap_or_default()
}

/// What a definition must fit.
#[derive(Debug, Default)]
pub struct Surroundings {
    /// The complete XML: with UUID and MAC addresses.
    pub xml: String,
    /// The UUID the domain will have.
    pub uuid: Uuid,
    /// The MAC addresses it will have.
    pub macs: Vec<String>,
    /// Memory of the host in bytes.
    pub host_memory: u64,
    /// The most processors that a guest can have here, where that is known.
    pub host_vcpus: Option<u32>,
    /// Every other domain of the host.
    pub neighbours: Vec<Neighbour>,
    /// Disks that are not there.
    pub absent_disks: Vec<PathBuf>,
    /// Bridges that are not there.
    pub absent_bridges: Vec<String>,
    /// What bhyve's driver would leave out of them without a word.
    pub losses: Vec<Loss>,
    /// On bhyve, the command lines that would run.
    pub bhyve_commands: Option<String>,
}

/// Another domain of the host.
#[derive(Debug)]
pub struct Neighbour {
    /// Its name.
    pub name: String,
    /// Its UUID.
    pub uuid: Uuid,
    /// Its MAC addresses, in lower case.
    pub macs: Vec<String>,
}

/// Looks at the domain, and at its surroundings where `definition` is not what it is defined as.
///
/// # Errors
/// Where libvirt cannot tell, or bhyve could not run the definition.
pub fn observe(
    params: &Params,
    definition: Option<&Definition>,
    hypervisor: &Hypervisor,
) -> Result<Observed> {
    let found = match hypervisor.guest(&params.name)? {
        Some(guest) => {
            let found = look_closely(params, definition, &guest, hypervisor);
            Some(found.with_context(|| format!("looking at domain {}", params.name))?)
        }
        None => None,
    };
    let former = Former::look(params, hypervisor)?;
    let surroundings = match definition.filter(|definition| is_due(definition, found.as_ref())) {
        Some(definition) => {
            let identity = Identity::before(params, found.as_ref(), former.as_ref());
            Some(look_around(params, definition, &identity, hypervisor)?)
        }
        None => None,
    };
    let bhyve = bhyve::is_bhyve(hypervisor.uri()).then(|| hypervisor.version()).transpose()?;
    let lacks_script = params.turn().is_some() && turn::nobody_starts(hypervisor.uri());
    Ok(Observed { found, surroundings, bhyve, lacks_script, former, rehearsal: false })
}

/// Looks at the domain, and at its snapshots where they could get lost.
fn look_closely(
    params: &Params,
    definition: Option<&Definition>,
    guest: &Guest,
    hypervisor: &Hypervisor,
) -> Result<Found> {
    let mut found = look_at(guest, hypervisor.uri())?;
    let is_due = definition.is_some_and(|definition| is_due(definition, Some(&found)));
    if !bhyve::is_bhyve(hypervisor.uri()) && (is_due || params.state == State::Absent) {
        found.snapshots = guest.snapshots()?;
        found.checkpoints = guest.checkpoints(hypervisor.uri())?;
    }
    Ok(found)
}

/// Looks at one domain, but not at its snapshots.
///
/// # Errors
/// Where libvirt cannot tell.
pub fn look_at(guest: &Guest, uri: &ConnectUri) -> Result<Found> {
    let persistent = guest.is_persistent()?;
    let killed = is_killed(guest, uri)?;
    let activity = if killed { Activity::Shutoff } else { guest.activity()? };
    let linked = bhyve::is_here(uri) && bhyve::has_autostart_link(&guest.name()?)?;
    let is_waiting = bhyve::is_bhyve(uri) && persistent && activity.is_active();
    let defined = Configuration::read(&guest.xml(Form::Defined)?)?;
    Ok(Found {
        uuid: guest.uuid()?,
        activity,
        persistent,
        start: Start {
            marked: persistent && (linked || guest.autostart()?),
            turn: if persistent { guest.turn(uri)? } else { None },
        },
        running: activity.is_active().then(|| Configuration::read(&guest.xml(Form::Running)?)).transpose()?,
        saved: if activity.is_active() { None } else { guest.saved(uri, &defined)? },
        defined,
        waiting: is_waiting.then(|| guest.waiting_receipt()).flatten(),
        killed,
        snapshots: Vec::new(),
        checkpoints: Vec::new(),
    })
}

/// Whether its process is gone although libvirt takes it for running: bhyve's driver does not see one that was killed.
pub(crate) fn is_killed(guest: &Guest, uri: &ConnectUri) -> Result<bool> {
    match guest.id().filter(|_| bhyve::is_here(uri)) {
        Some(pid) => Ok(bhyve::process(pid, &guest.name()?)? == Process::Gone),
        None => Ok(false),
    }
}

/// Whether the domain has to be defined: it is not there for good, it was given other XML, or libvirt's form of it is no
/// longer what it was.
pub(crate) fn is_due(definition: &Definition, found: Option<&Found>) -> bool {
    let Some(found) = found else { return true };
    let same = |configuration: &Configuration| {
        let receipt = configuration.receipt.as_ref();
        configuration.is_untouched()
            && receipt.is_some_and(|receipt| receipt.given_meaning == definition.meaning())
    };
    let waits = |receipt: &Receipt| receipt.given_meaning != definition.meaning();
    !found.persistent || !same(&found.defined) || found.waiting.as_ref().is_some_and(waits)
}

/// What a domain has that its definition need not say.
struct Identity<'a> {
    uuid: Uuid,
    macs: &'a [String],
    start: Start,
}

impl<'a> Identity<'a> {
    fn before(params: &Params, found: Option<&'a Found>, former: Option<&'a Former>) -> Self {
        match (found, former.map(|former| &former.known)) {
            (_, Some(known)) => Self { uuid: known.uuid, macs: &known.macs, start: known.start },
            (Some(found), None) => Self { uuid: found.uuid, macs: &found.defined.macs, start: found.start },
            (None, None) => Self { uuid: uuid_of(params.identity()), macs: &[], start: Start::default() },
        }
    }
}

fn look_around(
    params: &Params,
    definition: &Definition,
    identity: &Identity,
    hypervisor: &Hypervisor,
) -> Result<Surroundings> {
    let uri = hypervisor.uri();
    let uuid = definition.uuid().unwrap_or(identity.uuid);
    let block = if bhyve::is_bhyve(uri) { MacBlock::Bhyve } else { MacBlock::Qemu };
    let kept = |index: usize| identity.macs.get(index);
    let macs: Vec<String> = definition
        .macs()
        .enumerate()
        .map(|(index, given)| match given.or(kept(index).map(String::as_str)) {
            Some(mac) => mac.to_owned(),
            None => mac_of(params.identity(), index, block),
        })
        .collect();
    let xml = definition.complete(uuid, &macs, Start::wanted(params, identity.start).turn);
    let here = uri.is_this_machine();
    let bhyve_commands = bhyve::is_bhyve(uri).then(|| hypervisor.bhyve_commands(&xml)).transpose()?;
    let losses = match &bhyve_commands {
        Some(commands) => {
            let gives_uuid = definition.uuid().is_some();
            losses(&xml, &Driver { commands, version: hypervisor.version()?, gives_uuid })?
        }
        None => Vec::new(),
    };
    Ok(Surroundings {
        losses,
        host_memory: hypervisor.host_memory()?,
        host_vcpus: bhyve::is_bhyve(uri).then(|| hypervisor.host_processors()).transpose()?,
        neighbours: neighbours(params, hypervisor)?,
        absent_disks: definition.disks().iter().filter(|disk| here && !disk.exists()).cloned().collect(),
        absent_bridges: definition
            .bridges()
            .iter()
            .filter(|bridge| here && !is_there(bridge))
            .cloned()
            .collect(),
        bhyve_commands: bhyve_commands.map(|commands| definition.hide_secrets(commands)),
        xml,
        uuid,
        macs,
    })
}

/// Whether this machine has a network interface of that name.
fn is_there(interface: &str) -> bool {
    nix::net::if_::if_nametoindex(interface).is_ok()
}

fn neighbours(params: &Params, hypervisor: &Hypervisor) -> Result<Vec<Neighbour>> {
    let mut neighbours = Vec::new();
    for guest in hypervisor.guests()? {
        let name = guest.name()?;
        if name == params.name.as_str()
            || params.renamed_from.as_ref().is_some_and(|old| old.as_str() == name)
        {
            continue;
        }
        // One that is being removed at this moment is not a neighbour.
        let Ok(xml) = guest.xml(Form::Defined) else { continue };
        let document =
            Document::parse(&xml).with_context(|| format!("reading libvirt's XML of domain {name}"))?;
        neighbours.push(Neighbour { uuid: guest.uuid()?, macs: macs_of(&document), name });
    }
    Ok(neighbours)
}
