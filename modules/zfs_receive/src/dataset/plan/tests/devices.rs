// SPDX-License-Identifier: GPL-3.0-or-later

//! Which volumes have a device, and who decides it.

use super::*;

#[test]
fn a_device_is_inherited_where_the_folder_has_that_kind() {
    let device = |folder: &str, volmode: Option<&'static str>| {
        let mut found = host();
        set_volmode(&mut found, "tank/vm", folder);
        let mut wanted = request(&["tank/vm/new"]);
        wanted.volmode = volmode;
        let plan = present(&wanted, &found).unwrap();
        plan.steps.into_iter().find_map(|step| match step {
            Step::Clone(clone) => Some(clone.device),
            _ => None,
        })
    };
    assert_eq!(device("dev", Some("dev")), Some(Device::Inherited));
    assert_eq!(device("default", Some("dev")), Some(Device::Of("dev".to_owned())));
    assert_eq!(device("none", None), Some(Device::Inherited));
    assert_eq!(device("none", Some("none")), Some(Device::Never));
}

#[test]
fn a_device_that_a_dead_run_withheld_is_shown() {
    let mut found = host();
    mark(&mut found, "tank/vm/web");
    set_volmode(&mut found, "tank/vm/web", "none");
    let mut wanted = request(&["tank/vm/web"]);
    let plan = present(&wanted, &found).unwrap();
    assert_eq!(steps(&plan), ["show tank/vm/web, Inherited", "unmark tank/vm/web"]);
    assert_eq!((plan.changed(), plan.devices.len()), (true, 1));
    assert!(plan.before.ends_with("  volmode: none\n") && plan.after.ends_with("  volmode: default\n"));
    // As on FreeBSD, which has a default of its own.
    wanted.volmode = Some("dev");
    let plan = present(&wanted, &found).unwrap();
    assert_eq!(steps(&plan), ["show tank/vm/web, Of(\"dev\")", "unmark tank/vm/web"]);
    assert!(plan.after.ends_with("  volmode: dev\n"), "{}", plan.after);
    // It was killed when all that was left to do was to take the mark away.
    set_volmode(&mut found, "tank/vm/web", "dev");
    let plan = present(&wanted, &found).unwrap();
    assert_eq!((plan.changed(), steps(&plan)), (false, vec!["unmark tank/vm/web".to_owned()]));
}

#[test]
fn a_device_that_the_user_has_taken_away_stays_away() {
    let mut found = host();
    set_volmode(&mut found, "tank/vm/web", "none");
    let plan = present(&request(&["tank/vm/web"]), &found).unwrap();
    assert_eq!((plan.changed(), plan.devices.len()), (false, 0), "{:?}", plan.steps);
    assert_eq!(plan.before, plan.after);
    let mut asked = request(&["tank/vm/web"]);
    asked.volumes[0].properties = Properties::default().with("volmode", "dev");
    let plan = present(&asked, &found).unwrap();
    assert_eq!(
        (steps(&plan), plan.devices.len()),
        (vec!["set [(\"volmode\", \"dev\")] on tank/vm/web".to_owned()], 1)
    );
}

#[test]
fn a_folder_without_devices_has_none_for_new_volumes_either() {
    let mut found = host();
    set_volmode(&mut found, "tank/vm", "none");
    let mut wanted = request(&["tank/vm/new"]);
    let plan = present(&wanted, &found).unwrap();
    assert_eq!((plan.changed(), plan.devices.len()), (true, 0));
    wanted.volumes[0].properties = Properties::default().with("volmode", "default");
    assert_eq!(present(&wanted, &found).unwrap().devices, [name("tank/vm/new")]);
}
