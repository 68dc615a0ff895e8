// SPDX-License-Identifier: GPL-3.0-or-later

//! What is refused before anything is done.

use ansible_module::Size;
use anyhow::{Result, bail, ensure};

use super::moved_disks::{Moved, moved_away_from};
use crate::console::Place;
use crate::definition::Definition;
use crate::disks::source_in;
use crate::hypervisor::Version;
use crate::observe::{Found, Observed, Surroundings};
use crate::params::Params;
use crate::turn::SCRIPT;

/// Refuses a definition that does not fit its surroundings.
pub(super) fn of_definition(params: &Params, definition: &Definition, observed: &Observed) -> Result<()> {
    let Some(around) = &observed.surroundings else { return Ok(()) };
    check_identity(params, observed.found.as_ref(), around)?;
    check_size(params, definition, around)?;
    if let Some(found) = &observed.found {
        of_disks(params, definition, found)?;
    }
    if let Some(loss) = around.losses.iter().find(|loss| loss.is_grave) {
        bail!("defining domain {}: {}", params.name, loss.words);
    }
    Ok(())
}

/// Refuses to put a disk back to where it was before an external snapshot or a block copy: what the guest has written since is
/// not there.
pub(super) fn of_disks(params: &Params, definition: &Definition, found: &Found) -> Result<()> {
    let Some(disk) = moved_away_from(definition.shown(), found).into_iter().next() else { return Ok(()) };
    let (name, Moved { target, source, is_overlay, snapshot }) = (&params.name, disk);
    let given = source_in(definition.shown(), &target);
    let merge = format!("(virsh blockcommit {name} {target} --active --pivot)");
    let (what, remedy) = match snapshot {
        Some(snapshot) => (
            format!("the overlay of external snapshot {snapshot}"),
            format!(
                "merge it while the guest runs {merge}, delete the snapshot (virsh snapshot-delete {name} {snapshot}), or give {source} \
                 in `xml`"
            ),
        ),
        None if is_overlay => (
            "the overlay of an external snapshot".to_owned(),
            format!("merge it while the guest runs {merge}, or give {source} in `xml`"),
        ),
        None => (
            "where a snapshot, a block copy or an edit has put it".to_owned(),
            format!("give {source} in `xml`, or, if it is an overlay, merge it while the guest runs {merge}"),
        ),
    };
    bail!(
        "defining domain {name}: expected disk {target} to be {}, as `xml` has it, found {source}, {what}, and what the guest has \
         written since is only there; {remedy}",
        given.as_deref().unwrap_or("none")
    );
}

/// Most names of snapshots in one message.
const SHOWN: usize = 8;

/// Refuses to remove what libvirt knows of a domain's snapshots where that is not allowed, and tells what goes where it is.
pub(super) fn of_lost_snapshots(params: &Params, found: &Found) -> Result<Option<String>> {
    let snapshots = found.snapshots.iter().map(|snapshot| snapshot.name.as_str());
    let parts = [
        ("snapshots", snapshots.collect::<Vec<_>>()),
        ("checkpoints", found.checkpoints.iter().map(String::as_str).collect()),
    ];
    let parts: Vec<_> = parts
        .iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(kind, names)| {
            let rest = names.len().saturating_sub(SHOWN);
            let more = if rest == 0 { String::new() } else { format!(" and {rest} more") };
            format!("{kind} {}{more}", names.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", "))
        })
        .collect();
    if parts.is_empty() {
        return Ok(None);
    }
    let (name, parts) = (&params.name, parts.join(" and "));
    ensure!(
        params.force,
        "undefining domain {name}: expected no snapshots and no checkpoints, found {parts}; delete them first (virsh snapshot-delete, \
         virsh checkpoint-delete), or set `force: true` to remove what libvirt knows of them"
    );
    Ok(Some(format!(
        "domain {name}: with it goes what libvirt knows of its {parts}; what they hold stays in its disks"
    )))
}

/// The first whose bhyve driver reaches a guest's agent.
const REACHES_AGENTS: Version = Version(12_004_000);

/// Refuses to wait for what cannot come: bhyve's driver lets nobody read a console but through the null modem's other end, on the
/// host itself, and was long without a guest agent.
pub(super) fn of_wait(params: &Params, definition: Option<&Definition>, observed: &Observed) -> Result<()> {
    let wait = params.wait_for.as_ref().filter(|_| params.is_waited_for());
    let (Some(wait), Some(version)) = (wait, observed.bhyve) else { return Ok(()) };
    ensure!(
        !wait.agent || version >= REACHES_AGENTS,
        "waiting for domain {}: expected libvirt 12.4 or newer for `agent` on bhyve, found {version}; wait for `console`, or for `host` and \
         `port`",
        params.name
    );
    if wait.console.is_none() {
        return Ok(());
    }
    let uri = params.connection();
    ensure!(
        uri.is_this_machine(),
        "waiting for domain {}: expected a connection to this machine, found {uri}: the console of a bhyve guest can only be read on its \
         host; run the task there, or wait for `host` and `port`",
        params.name
    );
    let form = definition
        .map(Definition::shown)
        .or(observed.found.as_ref().map(|found| found.defined.shown.as_str()));
    if Place::find(form.unwrap_or_default(), &uri)? == Place::Stream {
        bail!(
            "waiting for domain {}: expected a console that can be read, a <serial type='nmdm'>, found none; give it one, or wait for \
             `host` and `port`",
            params.name
        );
    }
    Ok(())
}

fn check_identity(params: &Params, found: Option<&Found>, around: &Surroundings) -> Result<()> {
    if let Some(found) = found.filter(|found| found.uuid != around.uuid) {
        bail!(
            "defining domain {}: expected its UUID {} in the XML, found {}; remove the domain first to give it another one",
            params.name,
            found.uuid,
            around.uuid
        );
    }
    for neighbour in &around.neighbours {
        ensure!(
            neighbour.uuid != around.uuid,
            "defining domain {}: expected a UUID of its own, found {} in use by domain {}; give another <uuid>",
            params.name,
            around.uuid,
            neighbour.name
        );
        if let Some(mac) = around.macs.iter().find(|mac| neighbour.macs.contains(mac)) {
            bail!(
                "defining domain {}: expected MAC addresses of its own, found {mac} in use by domain {}; give another \
                 <mac address='...'/>",
                params.name,
                neighbour.name
            );
        }
    }
    Ok(())
}

fn check_size(params: &Params, definition: &Definition, around: &Surroundings) -> Result<()> {
    if let (Some(wanted), Some(most)) = (definition.vcpus(), around.host_vcpus) {
        ensure!(
            wanted <= most,
            "defining domain {}: expected at most {most} virtual processors, which is what this host has, found {wanted}; give it \
             fewer",
            params.name
        );
    }
    let wanted = definition.memory().unwrap_or(0);
    ensure!(
        wanted <= around.host_memory,
        "defining domain {}: expected at most the host's {} bytes of memory, found {}; give it less",
        params.name,
        around.host_memory,
        Size(wanted)
    );
    Ok(())
}

/// Who starts guests in their turn, where nobody does: without this one would not start with the host, and nobody would know.
pub(super) fn missing_script(observed: &Observed) -> Option<String> {
    observed.lacks_script.then(|| {
        format!(
            "boot script {SCRIPT}, which starts guests with `order` or `delay` (the playbook apiary.bhyve.hypervisor installs it)"
        )
    })
}

/// What the definition needs and this machine has not got; disks that are renamed with their domain are not there yet.
pub(super) fn missing_parts(around: &Surroundings, without_disks: bool) -> Vec<String> {
    let disks =
        around.absent_disks.iter().filter(|_| !without_disks).map(|disk| format!("disk {}", disk.display()));
    disks.chain(around.absent_bridges.iter().map(|bridge| format!("bridge {bridge}"))).collect()
}
