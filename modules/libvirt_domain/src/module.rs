// SPDX-License-Identifier: GPL-3.0-or-later

//! Module `libvirt_domain`: defines, starts, stops and removes a domain, and waits until its guest answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::apply::{Subject, apply};
use crate::definition::Definition;
use crate::hypervisor::Hypervisor;
use crate::observe::observe;
use crate::params::{Params, State};
use crate::patience::within;
use crate::plan::{Plan, plan};
use ansible_module::{Reply, Task};
use anyhow::{Result, bail};

/// Module `libvirt_domain`.
///
/// # Errors
/// Where libvirt cannot be reached, refuses the XML, or the guest does not answer in time.
pub fn module(params: Params, task: &mut Task) -> Result<Reply> {
    params.check()?;
    let changed = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&changed);
    let reply = within(params.answer_timeout, task, move |task| bring_about(&params, &told, task));
    if changed.load(Ordering::Relaxed) {
        task.did_change();
    }
    reply
}

fn bring_about(params: &Params, changed: &AtomicBool, task: &mut Task) -> Result<Reply> {
    let given = params.xml.as_deref().filter(|_| params.state != State::Absent);
    let definition = given.map(|xml| Definition::parse(xml, &params.name)).transpose()?;
    let definition = definition.as_ref();
    let hypervisor = task.phase("connect", |_| Hypervisor::open(&params.connection()))?;
    let mut observed = task.phase("observe", |_| observe(params, definition, &hypervisor))?;
    observed.rehearsal = task.check_mode;
    let plan = plan(params, definition, &observed)?;
    tell(&plan, task)?;
    if !task.check_mode {
        let subject = Subject { params, definition, hypervisor: &hypervisor, changed };
        apply(&plan, &subject, task)?;
    }
    let mut reply = Reply::new(plan.changed()).diff(plan.diff).with("domain", &plan.outcome);
    if let Some(commands) = observed.surroundings.and_then(|around| around.bhyve_commands) {
        reply = reply.with("bhyve_commands", commands);
    }
    Ok(reply)
}

/// What is missing is an error, but in check mode: the task that brings it may have been left undone, too.
fn tell(plan: &Plan, task: &mut Task) -> Result<()> {
    plan.warnings.iter().for_each(|warning| task.warn(warning));
    if plan.missing.is_empty() {
        return Ok(());
    }
    let missing = plan.missing.join(", ");
    if !task.check_mode {
        bail!(
            "defining domain {}: expected everything it needs on this host, found missing: {missing}",
            plan.outcome.name
        );
    }
    task.warn(format!("domain {} needs what is not there yet: {missing}", plan.outcome.name));
    Ok(())
}
