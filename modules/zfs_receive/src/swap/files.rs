// SPDX-License-Identifier: GPL-3.0-or-later

//! Raw files: looks at what is beside one, and carries out an exchange.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use ansible_module::lock::Lock;
use ansible_module::{Reply, Task, files, moment, workbench};
use anyhow::{Context, Result, ensure};

use super::params::{Job, Place};
use super::plan::{self, Before, Disk, Found, Plan, Step, Way, Wish};
use super::{marks, reply};
use marks::Part;

/// Longer than receiving an image takes.
const LOCK_LIMIT: Duration = Duration::from_secs(30 * 60);

/// Does what the job says with the file at `path`.
pub fn run(path: &Path, job: &Job, task: &mut Task) -> Result<Reply> {
    let (wish, found, plan) = exchange(path, job, task)?;
    Ok(reply(&wish, &plan, &found, Some(path.to_owned())))
}

fn exchange(path: &Path, job: &Job, task: &mut Task) -> Result<(Wish, Found, Plan)> {
    let before = match &job.from {
        Some(Place::File(before)) => Some(before.as_path()),
        _ => None,
    };
    let _locks = match task.check_mode {
        true => Vec::new(),
        false => task.phase("wait", |_| lock(path, before))?,
    };
    let found = task.phase("observe", |_| {
        let mut found = observe(path)?;
        found.before = before.map(look_before).transpose()?.map(Box::new);
        anyhow::Ok(found)
    })?;
    let wish = job.wish(path.display().to_string(), task);
    let plan = plan::plan(&wish, &found)?;
    if !task.check_mode {
        task.phase("apply", |_| apply(&plan, path))?;
    }
    Ok((wish, found, plan))
}

/// Of two names always in the same order, so that two runs cannot wait for each other.
fn lock(path: &Path, before: Option<&Path>) -> Result<Vec<Lock>> {
    let mut paths: Vec<&Path> = before.into_iter().chain([path]).collect();
    paths.sort();
    paths.into_iter().map(|path| workbench::alone_at(path, LOCK_LIMIT)).collect()
}

fn look_before(path: &Path) -> Result<Before> {
    Ok(Before { name: path.display().to_string(), found: observe(path)? })
}

fn observe(path: &Path) -> Result<Found> {
    let folder = path.parent().context("option `path` names no file")?;
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let doing = || format!("reading folder {}", folder.display());
    let mut found = Found::default();
    if !folder.exists() {
        return Ok(found);
    }
    for entry in fs::read_dir(folder).with_context(doing)? {
        let entry = entry.with_context(doing)?;
        let called = entry.file_name();
        let Some(called) = called.to_str() else { continue };
        let part = marks::part(called);
        if called != name && !marks::is_beside(called, name) {
            continue;
        }
        let file = entry.path();
        ensure!(
            entry.file_type().with_context(doing)?.is_file(),
            "looking at {}: expected a raw file or nothing",
            file.display()
        );
        let disk = disk(&file)?;
        match part {
            _ if called == name => found.root = Some(disk),
            Part::KeptOf(_) => found.kept.push(disk),
            Part::StagedFor(_) | Part::Own => found.staged = Some(disk),
            // A move of it was cut: nothing is exchanged for what has not come whole.
            Part::ArrivingFor(_) => {}
        }
    }
    found.kept.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

fn disk(file: &Path) -> Result<Disk> {
    let read = |mark: &str| {
        let name = marks::attribute(mark);
        xattr::get(file, &name).with_context(|| format!("reading attribute {name} of {}", file.display()))
    };
    let text =
        |mark: &str| read(mark).map(|mark| mark.map(|mark| String::from_utf8_lossy(&mark).into_owned()));
    let (way, stale) = Way::marked(text(marks::SWAP)?.as_deref());
    Ok(Disk {
        name: file.display().to_string(),
        way,
        stale,
        dated: read(marks::KEEP_UNTIL)?.is_some(),
        hidden: false,
        noted: read(marks::RAN)?.is_some(),
        lineage: text(marks::LINEAGE)?,
    })
}

fn apply(plan: &Plan, path: &Path) -> Result<()> {
    plan.steps.iter().try_for_each(carry_out)?;
    match (plan.steps.is_empty(), path.parent()) {
        (false, Some(folder)) => files::sync_folder(folder),
        _ => Ok(()),
    }
}

fn carry_out(step: &Step) -> Result<()> {
    match step {
        Step::Mark(file, way) => set(file, marks::SWAP, &marks::chosen(way.word(), SystemTime::now())),
        Step::Unmark(file) => unset(file, marks::SWAP),
        Step::Note(file) => set(file, marks::RAN, &moment::readable(SystemTime::now())),
        Step::Unnote(file) => unset(file, marks::RAN),
        Step::Bind(file, lineage) => set(file, marks::LINEAGE, lineage),
        Step::Date(file, until) => set(file, marks::KEEP_UNTIL, until),
        Step::Undate(file) => unset(file, marks::KEEP_UNTIL),
        Step::Rename(from, to) => rename(from, to),
        // Files have no devices.
        Step::Hide(_) | Step::Show(_) => Ok(()),
    }
}

fn set(file: &str, mark: &str, value: &str) -> Result<()> {
    let name = marks::attribute(mark);
    xattr::set(file, &name, value.as_bytes()).with_context(|| format!("setting attribute {name} of {file}"))
}

fn unset(file: &str, mark: &str) -> Result<()> {
    let name = marks::attribute(mark);
    xattr::remove(file, &name).with_context(|| format!("removing attribute {name} of {file}"))
}

fn rename(from: &str, to: &str) -> Result<()> {
    // Nobody else gives out these names, and the lock keeps others like us away.
    ensure!(fs::symlink_metadata(to).is_err(), "renaming {from} to {to}: that is there already");
    fs::rename(from, to).with_context(|| format!("renaming {from} to {to}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::swap::params::Params;

    fn asked(path: &Path, state: &str, check_mode: bool) -> Result<Plan> {
        let options = serde_json::json!({"path": path, "state": state});
        let params: Params = serde_json::from_value(options)?;
        let mut task = Task::default();
        task.check_mode = check_mode;
        Ok(exchange(path, &params.job()?, &mut task)?.2)
    }

    #[test]
    fn a_file_gets_another_name_with_what_is_kept_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let (old, new) = (folder.path().join("web1.raw"), folder.path().join("www1.raw"));
        let renamed = |check_mode| {
            let options = serde_json::json!({"path": new, "state": "renamed", "from": old});
            let mut task = Task::default();
            task.check_mode = check_mode;
            let params: Params = serde_json::from_value(options)?;
            anyhow::Ok(exchange(&new, &params.job()?, &mut task)?.2.changed())
        };
        assert!(renamed(false).unwrap_err().to_string().ends_with("found neither"));
        fs::write(&old, "root").unwrap();
        fs::write(folder.path().join("web1.raw.old-20261122T181500Z"), "kept").unwrap();
        fs::write(folder.path().join("web11.raw"), "of another").unwrap();
        set(old.to_str().unwrap(), marks::RAN, "2026-11-22T18:15:00Z").unwrap();
        assert!(renamed(true).unwrap() && renamed(false).unwrap());
        assert!(!renamed(true).unwrap() && !renamed(false).unwrap());
        let mut names: Vec<_> = fs::read_dir(&folder)
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, ["web11.raw", "www1.raw", "www1.raw.old-20261122T181500Z"]);
        assert_eq!(contents(folder.path()), ["kept", "of another", "root"]);
        assert!(disk(&new).unwrap().noted);
    }

    fn contents(folder: &Path) -> Vec<String> {
        let mut found: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|file| fs::read_to_string(file.unwrap().path()).unwrap())
            .collect();
        found.sort();
        found
    }

    #[test]
    fn a_new_file_takes_the_name_and_the_way_back_is_symmetrical() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("web1.raw");
        let staged = folder.path().join("web1.raw.redeploy");
        let keep_until = marks::attribute(marks::KEEP_UNTIL);
        fs::write(&path, "first").unwrap();
        assert!(asked(&path, "new", false).unwrap_err().to_string().contains("found none; make it first"));
        assert!(asked(&path, "back", false).unwrap_err().to_string().contains("none is kept as"));
        // Before it is made ready, check mode says what will be.
        assert!(asked(&path, "new", true).unwrap().changed());
        fs::write(&staged, "second").unwrap();
        let done = asked(&path, "new", false).unwrap();
        assert_eq!((done.changed(), fs::read_to_string(&path).unwrap()), (true, "second".to_owned()));
        let kept = done.replaced.unwrap();
        assert_eq!(fs::read_to_string(&kept).unwrap(), "first");
        assert!(xattr::get(&kept, &keep_until).unwrap().is_some());
        // The same call again, before the guest was started and after.
        assert!(!asked(&path, "new", false).unwrap().changed());
        assert!(!asked(&path, "settled", false).unwrap().changed());
        asked(&path, "new", false).unwrap_err();
        for expected in ["first", "second", "first"] {
            assert!(asked(&path, "back", false).unwrap().changed());
            assert!(!asked(&path, "back", false).unwrap().changed());
            assert_eq!(fs::read_to_string(&path).unwrap(), expected);
            asked(&path, "settled", false).unwrap();
            assert!(xattr::get(&path, &keep_until).unwrap().is_none());
        }
        assert_eq!(contents(folder.path()), ["first", "second"]);
    }
}
