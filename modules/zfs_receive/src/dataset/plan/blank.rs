// SPDX-License-Identifier: GPL-3.0-or-later

//! What it takes for a volume to be there that may hold anything. One that is there is never replaced.

use anyhow::Result;
use zfs_command::Row;

use super::present::{check_parent, refuse_reservations};
use super::volume::{adjust, at_first, expect_device, new_device, reservation};
use super::{NewBlank, Plan, Step, sweep, volume};
use crate::cut;
use crate::dataset::describe;
use crate::dataset::observe::Observed;
use crate::dataset::request::volmode_of;
use crate::job::Wanted;

/// Plans for a volume to be there; returns what is wanted with the size that ZFS gives it. `default` is the `volmode` of one that
/// asks for none.
///
/// # Errors
/// Where something else stands in the way, or the volume would have to shrink.
pub fn blank(wanted: Wanted, default: Option<&str>, observed: &Observed) -> Result<(Wanted, Plan)> {
    let mut plan = Plan::default();
    check_parent(&wanted.name, observed)?;
    sweep(&wanted.name, observed, &mut plan);
    let found = volume(&wanted.name, observed)?;
    let wanted = match found {
        Some(found) => Wanted { volsize: wanted.volsize.map(|size| whole_blocks(size, found)), ..wanted },
        None => wanted,
    };
    plan.before = describe::found_blank(found, &wanted, observed);
    match found {
        Some(found) => {
            adjust(&wanted, found, default, observed, &mut plan)?;
            plan.after = describe::adjusted_blank(&wanted, found, default, observed);
        }
        None => create(&wanted, default, observed, &mut plan)?,
    }
    Ok((wanted, plan))
}

fn create(wanted: &Wanted, default: Option<&str>, observed: &Observed, plan: &mut Plan) -> Result<()> {
    cut::refuse(wanted.name.as_str(), &observed.beside)?;
    refuse_reservations(std::slice::from_ref(wanted), None, observed)?;
    plan.after = describe::new_blank(wanted);
    plan.steps.push(Step::Create(NewBlank {
        name: wanted.name.clone(),
        volsize: wanted.volsize.unwrap_or_default(),
        properties: at_first(wanted),
        device: new_device(wanted, default, observed),
        later: reservation(wanted).into_iter().collect(),
    }));
    let volmode = volmode_of(wanted, default).or(observed.inherited_volmode(&wanted.name));
    expect_device(wanted, volmode, plan);
    Ok(())
}

/// The size that ZFS makes of it for a new volume: it rounds up.
fn whole_blocks(size: u64, found: &Row) -> u64 {
    let block = found.volblocksize.filter(|block| *block > 0);
    block.and_then(|block| size.checked_next_multiple_of(block)).unwrap_or(size)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{host, mark, name, set_volmode, steps};
    use super::*;
    use crate::properties::Properties;

    fn wanted(volume: &str, volsize: u64) -> Wanted {
        Wanted { name: name(volume), volsize: Some(volsize), properties: Properties::default() }
    }

    fn plan_of(wanted: Wanted, observed: &Observed) -> Plan {
        blank(wanted, None, observed).unwrap().1
    }

    #[test]
    fn an_empty_volume_is_made_where_there_is_none() {
        let plan = plan_of(wanted("tank/vm/web:data", 1 << 30), &host());
        assert_eq!(
            steps(&plan),
            ["create tank/vm/web:data of 1073741824, [(\"refreservation\", \"none\")], Inherited, later []"]
        );
        assert_eq!((plan.changed(), plan.devices.as_slice()), (true, [name("tank/vm/web:data")].as_slice()));
        assert_eq!(plan.before, "tank/vm/web:data: absent\n");
        assert_eq!(plan.after, "tank/vm/web:data:\n  volsize: 1G\n  empty\n");
    }

    #[test]
    fn properties_and_the_device_come_as_with_other_volumes() {
        let mut asked = wanted("tank/vm/new", 1 << 20);
        asked.properties = Properties::default().with("refreservation", "auto").with("compression", "zstd");
        let (_, plan) = blank(asked.clone(), Some("dev"), &host()).unwrap();
        assert_eq!(
            steps(&plan),
            [
                "create tank/vm/new of 1048576, [(\"compression\", \"zstd\"), (\"refreservation\", \"none\")], \
              Of(\"dev\"), later [(\"refreservation\", \"auto\")]"
            ]
        );
        asked.properties = Properties::default().with("volmode", "none");
        assert_eq!(plan_of(asked.clone(), &host()).devices, []);
        asked.properties = Properties::default().with("refreservation", "20M");
        assert_eq!(
            blank(asked, None, &host()).unwrap_err().to_string(),
            "new volumes in tank/vm would reserve 20M, but 10M are available there: free some space, or lower their refreservation"
        );
    }

    #[test]
    fn a_volume_that_is_there_satisfies_whatever_it_holds() {
        for volume in ["tank/vm/web", "tank/vm/other", "tank/images/demo"] {
            let plan = plan_of(wanted(volume, 1 << 20), &host());
            assert_eq!((plan.changed(), steps(&plan)), (false, vec![]), "{volume}");
            assert_eq!(plan.before, plan.after);
        }
        let plan = plan_of(wanted("tank/vm/web", 2 << 20), &host());
        assert_eq!(steps(&plan), ["set [(\"volsize\", \"2097152\")] on tank/vm/web"]);
        assert_eq!(plan.after, "tank/vm/web:\n  volsize: 2M\n");
    }

    #[test]
    fn a_size_that_zfs_has_rounded_up_is_no_other_size() {
        let (wanted, plan) = blank(wanted("tank/vm/web", (1 << 20) - 512), None, &host()).unwrap();
        assert_eq!((wanted.volsize, plan.changed()), (Some(1 << 20), false));
    }

    #[test]
    fn what_a_dead_run_has_left_is_put_right() {
        let mut found = host();
        mark(&mut found, "tank/vm/web");
        set_volmode(&mut found, "tank/vm/web", "none");
        let plan = plan_of(wanted("tank/vm/web", 1 << 20), &found);
        assert_eq!(steps(&plan), ["show tank/vm/web, Inherited", "unmark tank/vm/web"]);
        assert!(plan.before.ends_with("  volmode: none\n") && plan.after.ends_with("  volmode: default\n"));
    }

    #[test]
    fn refusals() {
        let table = [
            (
                wanted("tank/vm/web", 1 << 19),
                "tank/vm/web has 1M, expected 512K: a volume is only ever grown, shrinking would cut off data",
            ),
            (
                wanted("tank/vm", 1 << 20),
                "tank/vm is a file system: expected a volume or nothing; choose another name or remove it yourself",
            ),
            (
                wanted("tank/no/data", 1 << 20),
                "tank/no does not exist, so tank/no/data cannot be made in it: create it with `zfs create -p tank/no`",
            ),
        ];
        for (wanted, expected) in table {
            assert_eq!(blank(wanted, None, &host()).unwrap_err().to_string(), expected);
        }
    }
}
