// SPDX-License-Identifier: GPL-3.0-or-later

//! Does what the plan says; the only writer.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use ansible_module::Task;
use anyhow::{Context, Result, anyhow, ensure};

use crate::activity::Activity;
use crate::bhyve;
use crate::console::Console;
use crate::definition::Definition;
use crate::former::Known;
use crate::guest::{Form, Guest, Reach};
use crate::hypervisor::Hypervisor;
use crate::instance::Instance;
use crate::nvram;
use crate::params::Params;
use crate::plan::{Plan, Step};
use crate::receipt::{Configuration, Receipt};
use crate::turn::Turn;

/// Between two looks at a guest that shuts down.
const PAUSE: Duration = Duration::from_millis(100);

/// Whose domain it is that something is done with, and who is told that something was.
pub struct Subject<'a> {
    /// What is asked for.
    pub params: &'a Params,
    /// The definition that is given.
    pub definition: Option<&'a Definition>,
    /// Where the domain is.
    pub hypervisor: &'a Hypervisor,
    /// Set as soon as anything has been changed, so that it is told even where something fails or hangs afterwards.
    pub changed: &'a AtomicBool,
}

/// Everything a step may need.
pub(crate) struct Work<'a> {
    pub(crate) params: &'a Params,
    definition: Option<&'a Definition>,
    pub(crate) hypervisor: &'a Hypervisor,
    changed: &'a AtomicBool,
    /// Whether the console will be waited for.
    pub(crate) listens: bool,
    pub(crate) console: Option<Console>,
    /// Why the console cannot be waited for, if that is known.
    pub(crate) deaf: Option<String>,
    /// What is known of the running instance's console.
    pub(crate) instance: Instance,
    /// The definition under the name that it had, until there is another.
    released: Option<(Known, String)>,
}

/// Does it.
///
/// # Errors
/// Where a step fails; the same run again goes on from there.
pub fn apply(plan: &Plan, subject: &Subject, task: &mut Task) -> Result<()> {
    let Subject { params, definition, hypervisor, changed } = *subject;
    let listens = plan.steps.iter().any(|step| matches!(step, Step::Wait { console: Some(_) }));
    let mut work = Work {
        params,
        definition,
        hypervisor,
        changed,
        listens,
        console: None,
        deaf: None,
        instance: Instance::default(),
        released: None,
    };
    for step in &plan.steps {
        task.phase(step.phase(), |task| work.step(step, task))?;
        if step.is_change() {
            work.did_change();
        }
    }
    Ok(())
}

impl Step {
    /// Its name in the timings.
    fn phase(&self) -> &'static str {
        match self {
            Step::Define { .. } => "define",
            Step::Release(_) | Step::Adopt(_) | Step::Forget(_) => "rename",
            Step::Clear | Step::Stop | Step::Discard => "stop",
            Step::Start | Step::Revive { .. } | Step::Resume | Step::Wake => "start",
            Step::Autostart(_) | Step::Turn(_) => "autostart",
            Step::Wait { .. } => "wait",
            Step::Undefine => "undefine",
        }
    }
}

impl Work<'_> {
    fn step(&mut self, step: &Step, task: &mut Task) -> Result<()> {
        match step {
            Step::Define { xml, stale_instance } => self.define(xml, *stale_instance),
            Step::Release(known) => self.release(known),
            Step::Adopt(known) if self.hypervisor.uri().is_this_machine() => known.move_nvram(),
            Step::Adopt(_) => Ok(()),
            Step::Forget(known) => known.forget(),
            Step::Clear => self.guest()?.power_off(),
            Step::Stop => self.stop(),
            Step::Discard => self.guest()?.discard_saved(),
            Step::Start => self.start(),
            Step::Revive { stale_instance } => self.revive(*stale_instance),
            Step::Resume => self.resume(),
            Step::Wake => self.wake(),
            Step::Turn(turn) => self.set_turn(*turn),
            Step::Autostart(autostart) => self.set_autostart(&self.guest()?, *autostart),
            Step::Wait { console } => self.wait(console.as_deref(), task),
            Step::Undefine => self.undefine(),
        }
        .with_context(|| format!("domain {}", self.params.name))
    }

    /// Tells that something has been changed, which the rest of a step may yet fail after.
    pub(crate) fn did_change(&self) {
        self.changed.store(true, Ordering::Relaxed);
    }

    /// The domain, looked up for each step: another one of that name may have taken its place.
    pub(crate) fn guest(&self) -> Result<Guest> {
        let guest = self.hypervisor.guest(&self.params.name)?;
        guest.ok_or_else(|| anyhow!("expected it to exist, found it gone; run the task again"))
    }

    fn define(&self, xml: &str, stale_instance: bool) -> Result<()> {
        let defined = self.hypervisor.define(&self.params.name, xml);
        let guest = defined.map_err(|error| self.take_back(error))?;
        self.did_change();
        let active = guest.is_active()?;
        if let Some(definition) = self.definition {
            // bhyve's driver goes on to show the old definition while the domain runs.
            let receipt = match active && bhyve::is_bhyve(self.hypervisor.uri()) {
                true => Receipt::waiting(definition),
                false => Receipt::of(definition, &Configuration::read(&guest.xml(Form::Defined)?)?),
            };
            guest.set_receipt(Some(&receipt.element()?), Reach::Defined)?;
        }
        if stale_instance && active {
            // Without its receipt the instance counts as another one until it is restarted.
            guest.set_receipt(None, Reach::Running)?;
        }
        Ok(())
    }

    /// What the domain alone knew is noted before its definition goes.
    fn release(&mut self, known: &Known) -> Result<()> {
        if let Some(guest) = self.hypervisor.guest(&known.name)? {
            let xml = guest.xml(Form::Defined)?;
            known.write()?;
            guest.release()?;
            self.did_change();
            self.released = Some((known.clone(), xml));
        }
        Ok(())
    }

    /// Where libvirt refuses the new definition, the old one comes back.
    fn take_back(&self, error: anyhow::Error) -> anyhow::Error {
        let Some((known, xml)) = &self.released else { return error };
        let back = self.hypervisor.define(&known.name, xml).and_then(|guest| match known.start.marked {
            true => guest.set_autostart(true),
            false => Ok(()),
        });
        match back.and_then(|()| known.forget()) {
            Ok(()) => error,
            Err(again) => {
                error.context(format!("defining domain {} again failed, too: {again:#}", known.name))
            }
        }
    }

    fn stop(&self) -> Result<()> {
        let guest = self.guest()?;
        let autostart = guest.is_persistent()? && self.autostart(&guest)?;
        if !self.shuts_down(&guest)? {
            guest.power_off()?;
        }
        self.did_change();
        // bhyve's driver lost the flag here before libvirt 11.6.
        if autostart && !guest.autostart()? { self.set_autostart(&guest, true) } else { Ok(()) }
    }

    /// Asks the guest to shut down, where it can hear that, and waits until it has. Returns whether it has, which is an error
    /// where it must not be powered off.
    fn shuts_down(&self, guest: &Guest) -> Result<bool> {
        let (force, limit) = (self.params.force, self.params.shutdown_timeout);
        let asked = match guest.activity()? {
            Activity::Shutoff => return Ok(true),
            // It is on its way already, and libvirt refuses to ask it again.
            Activity::Stopping => Ok(()),
            _ if self.params.powers_off_at_once() => return Ok(false),
            deaf if deaf.is_deaf() => Err(anyhow!(
                "shutting down: expected it running, found it {}: its guest cannot hear the power button; set `force: true` to \
                 power it off",
                deaf.word()
            )),
            _ => guest.shut_down(),
        };
        match asked {
            Err(error) if !force => return Err(error),
            Err(_) => return Ok(false),
            Ok(()) => {}
        }
        let stopped = has_stopped(guest, limit.duration())?;
        ensure!(
            stopped || force,
            "shutting down: expected it off within {limit}, found it still {}; give it a longer `shutdown_timeout`, or set \
             `force: true` to power it off",
            guest.activity()?.word()
        );
        Ok(stopped)
    }

    /// Whether it starts with the host, as the host will see it.
    fn autostart(&self, guest: &Guest) -> Result<bool> {
        let linked =
            bhyve::is_here(self.hypervisor.uri()) && bhyve::has_autostart_link(self.params.name.as_str())?;
        Ok(linked || guest.autostart()?)
    }

    /// A link whose flag libvirt has forgotten is in its way, and it would not take it away either.
    fn set_autostart(&self, guest: &Guest, wanted: bool) -> Result<()> {
        if !guest.autostart()? && self.autostart(guest)? {
            let link = bhyve::autostart_link(self.params.name.as_str());
            fs::remove_file(&link).with_context(|| format!("removing {}", link.display()))?;
            self.did_change();
        }
        if guest.autostart()? == wanted { Ok(()) } else { guest.set_autostart(wanted) }
    }

    /// While a domain runs, bhyve's driver keeps what is set for its next start in a second definition, where it has got one; when
    /// the domain stops, it goes back to the first.
    fn set_turn(&self, turn: Option<Turn>) -> Result<()> {
        let guest = self.guest()?;
        if bhyve::is_bhyve(self.hypervisor.uri()) && guest.is_active()? {
            if !guest.has_two_definitions() {
                self.hypervisor.define(&self.params.name, &guest.xml(Form::Defined)?)?;
            }
            guest.set_turn(turn, Reach::Running)?;
            self.did_change();
        }
        guest.set_turn(turn, Reach::Defined)
    }

    fn undefine(&self) -> Result<()> {
        let guest = self.guest()?;
        let xml = guest.xml(Form::Defined)?;
        let nvram_is_gone = guest.undefine(self.params.force)?;
        self.did_change();
        if !nvram_is_gone && self.hypervisor.uri().is_this_machine() {
            nvram::remove(&xml, self.params.name.as_str())?;
        }
        Ok(())
    }
}

fn has_stopped(guest: &Guest, limit: Duration) -> Result<bool> {
    let started = Instant::now();
    loop {
        if !guest.is_active()? {
            return Ok(true);
        }
        let left = limit.saturating_sub(started.elapsed());
        if left.is_zero() {
            return Ok(false);
        }
        thread::sleep(PAUSE.min(left));
    }
}
