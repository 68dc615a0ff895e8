// SPDX-License-Identifier: GPL-3.0-or-later

//! Plans for what may be found, as tables.

use std::collections::BTreeMap;
use zfs_command::{DatasetName, Guid, Kind, Row};

use super::{Device, Plan, Step, absent, present};
use crate::dataset::observe::{Found, Observed};
use crate::dataset::request::Present;
use crate::image::Image;
use crate::job::{ImageFile, Wanted};
use crate::properties::{Properties, UNFINISHED};

mod devices;
mod refusals;

pub(super) fn name(text: &str) -> DatasetName {
    DatasetName::try_from(text.to_owned()).unwrap()
}

pub(super) fn row(name: &str, kind: Kind, guid: u64) -> Row {
    Row {
        name: name.to_owned(),
        kind,
        guid: Guid(guid),
        volsize: (kind != Kind::Filesystem).then_some(1 << 20),
        volblocksize: (kind == Kind::Volume).then_some(16384),
        available: (kind == Kind::Filesystem).then_some(10 << 20),
        origin: None,
        clones: Vec::new(),
        holds: 0,
        volmode: Some("default".to_owned()),
    }
}

/// tank with images and vm; the golden volume of guid 7; web as its clone; other, a clone of guid 8.
pub(super) fn host() -> Observed {
    let mut observed = Observed { moment: "20261122T181500Z".to_owned(), ..Observed::default() };
    let mut add = |row: Row| observed.rows.insert(row.name.clone(), row);
    for folder in ["tank", "tank/images", "tank/vm"] {
        add(row(folder, Kind::Filesystem, 1));
    }
    for (image, guid) in [("tank/images/demo", 7), ("tank/images/old", 8)] {
        add(row(image, Kind::Volume, 2));
        add(row(&format!("{image}@image"), Kind::Snapshot, guid));
    }
    for (guest, origin) in
        [("tank/vm/web", "tank/images/demo@image"), ("tank/vm/other", "tank/images/old@image")]
    {
        add(Row { origin: Some(origin.to_owned()), ..row(guest, Kind::Volume, 3) });
    }
    observed
}

fn request(volumes: &[&str]) -> Present {
    let volumes = volumes.iter().map(|volume| Wanted {
        name: name(volume),
        volsize: None,
        properties: Properties::default(),
    });
    let file = ImageFile { src: "/i/demo.zfs".into(), sha256: None, guid: None };
    Present {
        image: Image { bytes: Some(5 << 20), ..Image::by_guid(&file, Guid(7)) },
        golden: Some(name("tank/images/demo")),
        volumes: volumes.collect(),
        replace: false,
        volmode: None,
    }
}

pub(super) fn set_volmode(observed: &mut Observed, name: &str, volmode: &str) {
    observed.rows.get_mut(name).unwrap().volmode = Some(volmode.to_owned());
}

pub(super) fn mark(observed: &mut Observed, name: &str) {
    let mark = Found { value: "yes".to_owned(), local: true };
    observed.properties.insert((name.to_owned(), UNFINISHED.to_owned()), mark);
}

pub(super) fn steps(plan: &Plan) -> Vec<String> {
    let step = |step: &Step| match step {
        Step::Sweep(name) => format!("sweep {name}"),
        Step::Receive(receive) => format!("receive {}, keep {:?}", receive.name, receive.kept),
        Step::Clone(clone) => {
            format!(
                "clone {} to {}, keep {:?}, later {:?}",
                clone.origin, clone.name, clone.kept, clone.later
            )
        }
        Step::Create(new) => format!(
            "create {} of {}, {:?}, {:?}, later {:?}",
            new.name, new.volsize, new.properties, new.device, new.later
        ),
        Step::Set { name, properties } => format!("set {properties:?} on {name}"),
        Step::Show { name, device } => format!("show {name}, {device:?}"),
        Step::Unmark(name) => format!("unmark {name}"),
        Step::Destroy(name) => format!("destroy {name}"),
    };
    plan.steps.iter().map(step).collect()
}

#[test]
fn nothing_is_done_twice() {
    let plan = present(&request(&["tank/vm/web"]), &host()).unwrap();
    assert_eq!((plan.changed(), steps(&plan)), (false, vec![]));
    assert_eq!(plan.before, plan.after);
    let mut copy = request(&["tank/vm/web"]);
    copy.golden = None;
    assert!(!present(&copy, &host()).unwrap().changed());
}

#[test]
fn the_golden_volume_comes_first_and_once() {
    let mut found = host();
    found.rows.retain(|name, _| !name.starts_with("tank/images/demo") && name != "tank/vm/web");
    let mut wanted = request(&["tank/vm/web", "tank/vm/db"]);
    wanted.volumes[1].volsize = Some(2 << 20);
    let plan = present(&wanted, &found).unwrap();
    assert_eq!(
        steps(&plan),
        [
            "receive tank/images/demo, keep None",
            "clone tank/images/demo@image to tank/vm/web, keep None, later []",
            "clone tank/images/demo@image to tank/vm/db, keep None, later [(\"volsize\", \"2097152\")]",
        ]
    );
    assert_eq!(plan.before, "tank/images/demo: absent\ntank/vm/web: absent\ntank/vm/db: absent\n");
    assert_eq!(
        plan.after,
        "tank/images/demo:\n  has the snapshots tank/images/demo@image (guid 7)\n\
         tank/vm/web:\n  is a clone of tank/images/demo@image (snapshot guid 7)\n\
         tank/vm/db:\n  is a clone of tank/images/demo@image (snapshot guid 7)\n  volsize: 2M\n"
    );
}

#[test]
fn a_guest_that_came_with_its_image_needs_no_golden_volume() {
    let mut found = host();
    found.rows.retain(|name, _| !name.starts_with("tank/images/demo"));
    found.rows.get_mut("tank/vm/web").unwrap().origin = None;
    let image = row("tank/vm/web@image", Kind::Snapshot, 7);
    found.rows.insert(image.name.clone(), image);
    assert!(!present(&request(&["tank/vm/web"]), &found).unwrap().changed());
    let plan = present(&request(&["tank/vm/web", "tank/vm/db"]), &found).unwrap();
    assert_eq!(steps(&plan)[0], "receive tank/images/demo, keep None");
}

#[test]
fn leftovers_are_swept_and_are_no_change() {
    let mut found = host();
    found.rows.insert("tank/vm/.new-web".to_owned(), row("tank/vm/.new-web", Kind::Volume, 9));
    let plan = present(&request(&["tank/vm/web"]), &found).unwrap();
    assert_eq!((plan.changed(), steps(&plan)), (false, vec!["sweep tank/vm/.new-web".to_owned()]));
}

#[test]
fn the_sizes_of_all_copies_are_judged_with_the_first() {
    let mut wanted = request(&["tank/vm/a", "tank/vm/b"]);
    wanted.golden = None;
    wanted.volumes[1].volsize = Some(2 << 20);
    let plan = present(&wanted, &host()).unwrap();
    assert_eq!(plan.receives().next().unwrap().sizes, [2 << 20]);
}

#[test]
fn too_little_space_is_only_a_doubt() {
    let mut found = host();
    found.rows.get_mut("tank/vm").unwrap().available = Some(6 << 20);
    let mut wanted = request(&["tank/vm/new"]);
    wanted.golden = None;
    assert_eq!(present(&wanted, &found).unwrap().warnings, [""; 0]);
    found.rows.get_mut("tank/vm").unwrap().available = Some(1000);
    let plan = present(&wanted, &found).unwrap();
    assert_eq!(
        plan.warnings,
        [
            "image demo takes up to 5242880 bytes in tank/vm, which has 1000 available: it fits only if ZFS stores it in less; \
          free some space"
        ]
    );
}

#[test]
fn another_image_is_put_aside_only_where_asked() {
    let mut wanted = request(&["tank/vm/other"]);
    assert_eq!(
        present(&wanted, &host()).unwrap_err().to_string(),
        "tank/vm/other is there already and is not of image demo (snapshot guid 7): it is a clone of \
         tank/images/old@image (snapshot guid 8); set `replace: true` to put it aside, or choose another name"
    );
    wanted.replace = true;
    let plan = present(&wanted, &host()).unwrap();
    assert_eq!(
        steps(&plan),
        [
            "clone tank/images/demo@image to tank/vm/other, keep Some(\"tank/vm/other.old-20261122T181500Z\"), later []"
        ]
    );
    let mut used = host();
    used.users = BTreeMap::from([("tank/vm/other".to_owned(), "process 12 (bhyve)".to_owned())]);
    assert_eq!(
        present(&wanted, &used).unwrap_err().to_string(),
        "tank/vm/other cannot be replaced while process 12 (bhyve) has it open: stop the guest first"
    );
}

#[test]
fn an_increment_goes_onto_its_base() {
    let mut wanted = request(&[]);
    wanted.image = Image { guid: Guid(9), base: Some(Guid(8)), ..wanted.image };
    wanted.golden = Some(name("tank/images/new"));
    let plan = present(&wanted, &host()).unwrap();
    let base = plan.receives().next().unwrap().base.clone().unwrap();
    assert_eq!(
        (base.snapshot.as_str(), base.guid, base.volblocksize),
        ("tank/images/old@image", Guid(8), 16384)
    );
}

#[test]
fn clones_go_before_what_they_are_clones_of() {
    let mut found = host();
    found.rows.get_mut("tank/images/demo@image").unwrap().clones = vec!["tank/vm/web".to_owned()];
    let plan =
        absent(&[name("tank/images/demo"), name("tank/vm/web"), name("tank/vm/gone")], &found).unwrap();
    assert_eq!(steps(&plan), ["destroy tank/vm/web", "destroy tank/images/demo"]);
    assert_eq!(
        absent(&[name("tank/images/demo")], &found).unwrap_err().to_string(),
        "tank/images/demo cannot be destroyed: a clone is made of it: tank/vm/web; remove those first"
    );
    found.rows.get_mut("tank/images/old@image").unwrap().holds = 1;
    assert_eq!(
        absent(&[name("tank/images/old")], &found).unwrap_err().to_string(),
        "tank/images/old cannot be destroyed: its snapshot tank/images/old@image is held; see `zfs holds tank/images/old@image`"
    );
}
