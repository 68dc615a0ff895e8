// SPDX-License-Identifier: GPL-3.0-or-later

//! Starting a guest so that nothing it says on its console is missed, and waiting until it answers.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use ansible_module::lock::Lock;
use ansible_module::{Task, workbench};
use anyhow::{Context, Result, bail, ensure};

use crate::activity::{Activity, Pause};
use crate::apply::Work;
use crate::bhyve::{self, Process};
use crate::console::{Console, Place};
use crate::guest::{Form, Guest, Reach};
use crate::instance::Instance;
use crate::observe::is_killed;
use crate::receipt::Configuration;
use crate::stopped::{DomainAt, account};
use crate::wait::Wait;

/// How long somebody else who has started the guest may take to let it run.
const THEIR_TURN: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(50);

/// How long bhyve may take to have its guest, or to give up: it reads no more than firmware.
const SETTLING: Duration = Duration::from_secs(10);

/// How long a guest has to show that it does not run into the same I/O error again.
const SECOND_TRY: Duration = Duration::from_secs(1);

/// Far above what the starts of all guests of a host take.
const OTHERS_STARTS: Duration = Duration::from_secs(600);

impl<'a> Work<'a> {
    pub(crate) fn start(&mut self) -> Result<()> {
        let guest = self.guest()?;
        let xml = guest.xml(Form::Defined)?;
        let before = Configuration::read(&xml)?;
        let place = Place::find(&xml, self.hypervisor.uri())?;
        let by_stream = self.listens && place == Place::Stream;
        self.instance.log_from = Console::log_from(&place);
        if self.listens {
            self.console = Console::from_start(place)?;
        }
        let turn = self.turn()?;
        // A stream has no history: it is opened while the guest still stands.
        if !guest.start(by_stream)? {
            return self.leave_to_them(&guest);
        }
        self.did_change();
        self.settle(&guest)?;
        drop(turn);
        if by_stream {
            guest.note(&Instance { fresh: true, ..Instance::default() })?;
            self.run_listening(&guest)?;
        }
        if !guest.is_active()? || is_killed(&self.guest()?, self.hypervisor.uri())? {
            // One that nobody was to listen to has a log all the same.
            let mut console = self.console.take().or_else(|| self.console_of_running(&guest).ok()?);
            let account = account(&guest, self.at(), console.as_mut());
            bail!("expected it to run, found that it has stopped at once: {account}");
        }
        if self.instance.log_from.is_some() {
            guest.note(&self.instance)?;
        }
        self.replace_forgotten(&guest, &xml, &before)?;
        renew_receipt(&guest, &before)
    }

    /// bhyve's driver keeps a definition that was given while an earlier instance ran, and with the next flag or note that is
    /// set it would save that one in place of the one that has been started.
    fn replace_forgotten(&self, guest: &Guest, xml: &str, started: &Configuration) -> Result<()> {
        let kept = guest.waiting_receipt().filter(|_| bhyve::is_bhyve(self.hypervisor.uri()));
        if kept.is_some() && kept != started.receipt {
            self.hypervisor.define(&self.params.name, xml)?;
        }
        Ok(())
    }

    /// bhyve's driver has one place for the process ids of all guests that start: two at once can get each other's.
    fn turn(&self) -> Result<Option<Lock>> {
        let here = bhyve::is_here(self.hypervisor.uri());
        here.then(|| workbench::alone_at(Path::new("/libvirt/bhyve/start"), OTHERS_STARTS)).transpose()
    }

    /// bhyve is started by a daemon that does not see whether it could: it has when it bears the guest's name.
    fn settle(&self, guest: &Guest) -> Result<()> {
        if !bhyve::is_here(self.hypervisor.uri()) {
            return Ok(());
        }
        let started = Instant::now();
        loop {
            // A handle keeps the number that the domain had when it was looked up.
            let found = match self.guest()?.id() {
                Some(pid) => bhyve::process(pid, self.params.name.as_str())?,
                None => Process::Gone,
            };
            match found {
                Process::OfGuest => return Ok(()),
                // Its last words are told by whoever looks whether it runs.
                Process::Gone if !guest.is_active()? || started.elapsed() > SETTLING => return Ok(()),
                Process::Other if started.elapsed() > SETTLING => bail!(
                    "expected its process to be `bhyve: {}`, found another: libvirt has taken somebody else's for it; stop the \
                     guest, and run the task again",
                    self.params.name
                ),
                Process::Other | Process::Gone => thread::sleep(PAUSE),
            }
        }
    }

    /// Somebody else has started it: its stream is theirs, and letting it run is, too, unless they have died over it.
    fn leave_to_them(&mut self, guest: &Guest) -> Result<()> {
        self.instance = Instance::default();
        self.console = self.console.take().filter(Console::keeps_history);
        let started = Instant::now();
        while matches!(guest.activity()?, Activity::Paused(_)) {
            if started.elapsed() > THEIR_TURN {
                guest.resume()?;
                self.did_change();
                return Ok(());
            }
            thread::sleep(PAUSE);
        }
        Ok(())
    }

    /// Lets it go on from its saved memory; what it wrote on its console before, it does not write again.
    pub(crate) fn revive(&self, stale_instance: bool) -> Result<()> {
        let guest = self.guest()?;
        if guest.start(false).context("going on from its saved memory")? {
            self.did_change();
        }
        // One that was saved while it was paused is paused again.
        if matches!(guest.activity()?, Activity::Paused(_)) {
            guest.resume()?;
        }
        if stale_instance && guest.is_active()? {
            // Without its receipt the instance counts as another one until it is restarted.
            guest.set_receipt(None, Reach::Running)?;
        }
        Ok(())
    }

    pub(crate) fn resume(&mut self) -> Result<()> {
        let guest = self.guest()?;
        let before = guest.activity()?;
        let xml = guest.xml(Form::Running)?;
        let fresh = Configuration::read(&xml)?.instance.fresh;
        if fresh && self.listens && Place::find(&xml, self.hypervisor.uri())? == Place::Stream {
            return self.run_listening(&guest);
        }
        guest.resume()?;
        if matches!(before, Activity::Paused(Pause::DiskError | Pause::Unknown)) {
            expect_to_go_on(&guest)?;
        }
        self.did_change();
        if fresh { guest.note(&Instance::default()) } else { Ok(()) }
    }

    /// The guest wakes by itself when it was told to; before that it hears no power button.
    pub(crate) fn wake(&self) -> Result<()> {
        let guest = self.guest()?;
        guest.wake()?;
        self.did_change();
        let started = Instant::now();
        while guest.activity()? == Activity::Suspended && started.elapsed() < THEIR_TURN {
            thread::sleep(PAUSE);
        }
        Ok(())
    }

    /// Opens the stream of a guest that has not run yet, then lets it run. From then on its text can be waited for by this
    /// run only, so the note that it is fresh goes.
    fn run_listening(&mut self, guest: &Guest) -> Result<()> {
        match Console::stream(self.hypervisor.uri(), &self.params.name) {
            Ok(console) => self.console = Some(console),
            // Somebody reads it already. A guest left standing still would be the worse surprise.
            Err(error) => self.deaf = Some(format!("{error:#}")),
        }
        guest.resume()?;
        self.did_change();
        guest.note(&Instance::default())
    }

    pub(crate) fn wait(&mut self, console: Option<&str>, task: &mut Task) -> Result<()> {
        let Some(wait_for) = &self.params.wait_for else { return Ok(()) };
        let guest = self.guest()?;
        if self.console.is_none() {
            self.console = self.console_of_running(&guest)?;
        }
        if self.listens && self.console.is_none() {
            let reason = self.deaf.as_deref().unwrap_or(
                "it was started before this task, and its console keeps no history of what it has written since",
            );
            task.warn(format!(
                "domain {}: the text on its console was not waited for: {reason}",
                self.params.name
            ));
        }
        let wait = Wait { guest: &guest, at: self.at(), wait_for, listens: self.listens };
        wait.until_it_answers(self.console.as_mut())?;
        match console.filter(|_| self.console.is_some()) {
            Some(digest) => guest.note(&Instance { shown: Some(digest.to_owned()), ..self.instance.clone() }),
            None => Ok(()),
        }
    }

    fn at(&self) -> DomainAt<'a> {
        DomainAt { uri: self.hypervisor.uri(), name: &self.params.name }
    }

    /// A console without history is of no use here: what is waited for may have been written already.
    fn console_of_running(&mut self, guest: &Guest) -> Result<Option<Console>> {
        let xml = guest.xml(Form::Running)?;
        let place = Place::find(&xml, self.hypervisor.uri())?;
        self.instance.log_from = Configuration::read(&xml)?.instance.log_from;
        // Only to quote its last lines, any part of the log will do.
        let quoted = (!self.listens).then_some(0);
        Ok(Console::with_history(place, self.instance.log_from.or(quoted)))
    }
}

/// A guest that an I/O error has paused does at once what it could not do, and is paused again where it still cannot.
fn expect_to_go_on(guest: &Guest) -> Result<()> {
    thread::sleep(SECOND_TRY);
    ensure!(
        !matches!(guest.activity()?, Activity::Paused(_)),
        "resuming: expected it to go on, found it paused again within a second, as by an I/O error on one of its disks; see that the \
         disk works and has space (virsh domblkerror), and what the hypervisor says (virsh domstate --reason)"
    );
    Ok(())
}

/// Some drivers complete the definition at its first start.
fn renew_receipt(guest: &Guest, before: &Configuration) -> Result<()> {
    let after = Configuration::read(&guest.xml(Form::Defined)?)?;
    match &after.receipt {
        Some(receipt) if before.is_untouched() && !after.is_untouched() => {
            guest.set_receipt(Some(&receipt.renewed(&after).element()?), Reach::Both)
        }
        _ => Ok(()),
    }
}
