// SPDX-License-Identifier: GPL-3.0-or-later

//! A volume gets another name, and all that is kept of it with it. Pure.
//!
//! Each rename is one step, and what still has the old name is what is left to do: the same call again goes on from there. The volume
//! itself comes first, so that what has the new name alone is never taken for a volume that is missing.

use anyhow::{Result, bail, ensure};

use super::{Before, Disk, Found, Plan, Step, Wish};

pub(super) fn plan(wish: &Wish, found: &Found) -> Result<Plan> {
    let Some(before) = &found.before else { return Ok(Plan::default()) };
    let Before { name: old, found: there } = &**before;
    let doing = format!("renaming {old} to {}", wish.name);
    if there.root.is_none() && found.root.is_none() {
        match all(there).chain(all(found)).next() {
            None => bail!("{doing}: expected one of them, found neither"),
            Some(beside) => bail!(
                "{doing}: expected one of them, found {} alone, which an exchange that was cut has left; finish that first",
                beside.name
            ),
        }
    }
    let moves: Vec<(&str, String)> = all(there)
        .map(|disk| (disk.name.as_str(), wish.name.clone() + disk.name.strip_prefix(old).unwrap_or_default()))
        .collect();
    if let Some((from, to)) = moves.iter().find(|(_, to)| all(found).any(|disk| disk.name == *to)) {
        bail!(
            "{doing}: expected nothing at {to}, found a volume there; remove it, or rename it, as it is not what {from} is"
        );
    }
    if let Some(user) = there.user.as_ref().filter(|_| !wish.rehearsal) {
        bail!("{doing}: {user} has it open; stop the guest first");
    }
    ensure!(
        found.user.is_none() || moves.is_empty() || wish.rehearsal,
        "{doing}: {} is in use already",
        wish.name
    );
    let steps: Vec<Step> = moves.into_iter().map(|(from, to)| Step::Rename(from.to_owned(), to)).collect();
    let from = there.root.as_ref().map(|root| root.name.clone());
    Ok(Plan { steps, from, replaced: None })
}

/// The volume first, then what is beside it.
fn all(found: &Found) -> impl Iterator<Item = &Disk> {
    found.root.iter().chain(&found.kept).chain(&found.staged)
}

/// The names before and after, line by line.
pub(super) fn difference(steps: &[Step]) -> (String, String) {
    let renames = steps.iter().filter_map(|step| match step {
        Step::Rename(from, to) => Some((format!("{from}\n"), format!("{to}\n"))),
        _ => None,
    });
    renames.unzip()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::plan;
    use super::*;
    use crate::swap::params::State;

    fn disk(name: &str) -> Disk {
        Disk { name: name.to_owned(), ..Disk::default() }
    }

    fn there(root: Option<&str>, kept: &[&str], staged: Option<&str>) -> Found {
        Found {
            root: root.map(disk),
            kept: kept.iter().map(|name| disk(name)).collect(),
            staged: staged.map(disk),
            ..Found::default()
        }
    }

    fn planned(old: Found, new: Found, rehearsal: bool) -> Result<Plan> {
        let before = Some(Box::new(Before { name: "t/web1".to_owned(), found: old }));
        let wish = Wish {
            name: "t/www1".to_owned(),
            state: State::Renamed,
            now: Duration::ZERO,
            until: String::new(),
            rehearsal,
        };
        plan(&wish, &Found { before, ..new })
    }

    const KEPT: &str = "t/web1.old-20261122T181500Z";

    #[test]
    fn all_of_it_goes_and_the_rest_of_it_after_a_cut() {
        let done = planned(there(Some("t/web1"), &[KEPT], Some("t/web1.redeploy")), Found::default(), false)
            .unwrap();
        let rename = |from: &str, to: &str| Step::Rename(from.to_owned(), to.to_owned());
        let rest =
            [rename(KEPT, "t/www1.old-20261122T181500Z"), rename("t/web1.redeploy", "t/www1.redeploy")];
        assert_eq!(done.steps[0], rename("t/web1", "t/www1"));
        assert_eq!((&done.steps[1..], done.changed()), (&rest[..], true));
        assert_eq!(difference(&done.steps[..1]), ("t/web1\n".to_owned(), "t/www1\n".to_owned()));
        let cut =
            planned(there(None, &[KEPT], Some("t/web1.redeploy")), there(Some("t/www1"), &[], None), false)
                .unwrap();
        assert_eq!(cut.steps, rest);
        let again = planned(Found::default(), there(Some("t/www1"), &[], None), false).unwrap();
        assert_eq!((again.steps, again.from), (Vec::new(), None));
    }

    #[test]
    fn what_would_lose_a_volume_is_refused() {
        let error = |old, new| planned(old, new, false).unwrap_err().to_string();
        assert_eq!(
            error(Found::default(), Found::default()),
            "renaming t/web1 to t/www1: expected one of them, found neither"
        );
        assert!(
            error(there(None, &[KEPT], None), Found::default()).contains("an exchange that was cut has left")
        );
        assert!(
            error(there(Some("t/web1"), &[], None), there(Some("t/www1"), &[], None))
                .contains("expected nothing at t/www1, found a volume there")
        );
        let busy = || Found { user: Some("bhyve (1)".to_owned()), ..there(Some("t/web1"), &[], None) };
        assert_eq!(
            error(busy(), Found::default()),
            "renaming t/web1 to t/www1: bhyve (1) has it open; stop the guest first"
        );
        assert!(planned(busy(), Found::default(), true).unwrap().changed());
    }
}
