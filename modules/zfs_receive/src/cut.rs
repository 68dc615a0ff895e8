// SPDX-License-Identifier: GPL-3.0-or-later

//! An exchange that was cut between its two renames: no volume has the guest's name, and what is to have it bears the mark. Or a move to
//! this host that was cut. Whoever made a new volume now would hide the guest's data. Pure.

use anyhow::{Result, bail};

use crate::marks;

/// A volume that is kept of another or was made ready for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beside {
    /// Its whole name, or its path.
    pub name: String,
    /// Its mark of an exchange.
    pub mark: Option<String>,
}

/// Refuses to make the volume `name`, which is missing, where one of those `beside` it is to become it.
///
/// # Errors
/// Where an exchange or a move has to be finished first.
pub fn refuse(name: &str, beside: &[Beside]) -> Result<()> {
    if let Some(arriving) = beside.iter().find(|other| marks::arrives_with(&other.name, name)) {
        bail!(
            "making {name}: its guest is on its way from another host, and that move was cut: found {}; finish it with `ansible-playbook -i \
             INVENTORY apiary.bhyve.move -e guest_names={}`, or remove {0} if the guest shall stay where it was",
            arriving.name,
            guest(name)
        );
    }
    let own = || beside.iter().filter(|other| marks::is_beside(&other.name, name));
    // Of two that were chosen one after the other, the last one counts.
    let marked = own().filter_map(|other| Some((other.mark.as_deref()?.split_once(' ')?, other)));
    let Some(((way, since), chosen)) = marked.max_by_key(|((_, since), _)| *since) else { return Ok(()) };
    let others: Vec<&str> = own().filter(|other| *other != chosen).map(|other| other.name.as_str()).collect();
    let back = if way == "back" { " -e guest_redeploy_back=true" } else { "" };
    bail!(
        "making {name}: it is missing because an exchange of it was cut: found {}, chosen on {since} to take its name{}; finish the \
         exchange with `ansible-playbook -i INVENTORY apiary.bhyve.redeploy -e guest_names={}{back}`, or with zfs_swap and `state: {way}`",
        chosen.name,
        match others.as_slice() {
            [] => String::new(),
            others => format!(", and beside it {}", others.join(", ")),
        },
        guest(name)
    )
}

/// The guest that has this volume as a disk.
fn guest(name: &str) -> &str {
    let last = name.rsplit('/').next().unwrap_or(name);
    let name = last.strip_suffix(".raw").unwrap_or(last);
    name.split(':').next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beside(names: &[(&str, Option<&str>)]) -> Vec<Beside> {
        let told = names.iter().map(|(name, mark)| (name.to_string(), mark.map(str::to_owned)));
        told.map(|(name, mark)| Beside { name, mark }).collect()
    }

    #[test]
    fn what_was_put_aside_in_peace_is_not_in_the_way() {
        for names in [
            &[][..],
            &[("t/web.old-20261122T181500Z", None), ("t/web.redeploy", None)],
            &[
                ("t/web2.redeploy", Some("new 2026-11-22T18:15:00Z")),
                ("t/we.redeploy", Some("new 2026-11-22T18:15:00Z")),
            ],
        ] {
            refuse("t/web", &beside(names)).unwrap();
        }
    }

    #[test]
    fn a_move_that_was_cut_comes_first() {
        for (name, arriving) in [("t/web", "t/web.move"), ("/v/web:data.raw", "/v/web:data.raw.move")] {
            let told = refuse(name, &beside(&[(arriving, None)])).unwrap_err().to_string();
            assert!(told.contains(&format!("found {arriving}; finish it")), "{told}");
            assert!(told.contains("-e guest_names=web`"), "{told}");
        }
        refuse("t/web2", &beside(&[("t/web.move", None)])).unwrap();
    }

    #[test]
    fn the_message_says_what_was_found_and_how_to_finish() {
        let found = beside(&[
            ("t/web.old-20261122T181500Z", None),
            ("t/web.redeploy", Some("new 2026-11-22T18:14:59Z")),
        ]);
        assert_eq!(
            refuse("t/web", &found).unwrap_err().to_string(),
            "making t/web: it is missing because an exchange of it was cut: found t/web.redeploy, chosen on 2026-11-22T18:14:59Z to take \
             its name, and beside it t/web.old-20261122T181500Z; finish the exchange with `ansible-playbook -i INVENTORY \
             apiary.bhyve.redeploy -e guest_names=web`, or with zfs_swap and `state: new`"
        );
        // Given up on one way, and cut on the other.
        let found = beside(&[
            ("/v/web.raw.redeploy", Some("new 2026-11-22T18:14:59Z")),
            ("/v/web.raw.old-20261122T181500Z", Some("back 2026-11-23T18:14:59Z")),
        ]);
        let told = refuse("/v/web.raw", &found).unwrap_err().to_string();
        assert!(told.contains("found /v/web.raw.old-20261122T181500Z, chosen on 2026-11-23"), "{told}");
        assert!(told.contains("-e guest_names=web -e guest_redeploy_back=true`"), "{told}");
    }
}
