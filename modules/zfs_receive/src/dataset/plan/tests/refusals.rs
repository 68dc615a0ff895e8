// SPDX-License-Identifier: GPL-3.0-or-later

//! What is refused, and in which words.

use super::*;
use crate::cut::Beside;
use crate::dataset::plan;

#[test]
fn reservations_that_do_not_fit_are_known_before() {
    let reserving = |value: &str| {
        let mut wanted = request(&["tank/vm/new", "tank/vm/more"]);
        for volume in &mut wanted.volumes {
            volume.properties = volume.properties.clone().with("refreservation", value);
        }
        present(&wanted, &host()).map(|plan| plan.steps.len()).map_err(|error| error.to_string())
    };
    assert_eq!(reserving("5M"), Ok(2));
    assert_eq!(reserving("auto"), Ok(2));
    assert_eq!(
        reserving("6M").unwrap_err(),
        "new volumes in tank/vm would reserve 12M, but 10M are available there: free some space, or lower their refreservation"
    );
}

#[test]
fn wishes_that_do_not_fit_what_is_there() {
    let change = |change: &dyn Fn(&mut Present, &mut Observed)| {
        let (mut wanted, mut found) = (request(&["tank/vm/web"]), host());
        change(&mut wanted, &mut found);
        present(&wanted, &found).unwrap_err().to_string()
    };
    let table = [
        (
            change(&|wanted, _| wanted.volumes[0].volsize = Some(1 << 19)),
            "volsize 512K is smaller than the image, which has 1M: its end would be cut off",
        ),
        (
            change(&|wanted, _| wanted.volumes[0].volsize = Some((1 << 20) + 512)),
            "volsize 1049088 is not a multiple of the image's block size 16K; the next ones are 1M and 1040K",
        ),
        (
            change(&|wanted, found| {
                wanted.volumes[0].volsize = Some(2 << 20);
                found.rows.get_mut("tank/vm/web").unwrap().volsize = Some(4 << 20);
            }),
            "tank/vm/web has 4M, expected 2M: a volume is only ever grown, shrinking would cut off data",
        ),
        (
            change(&|wanted, _| wanted.volumes[0].name = name("tank/vm")),
            "tank/vm is a file system: expected a volume or nothing; choose another name or remove it yourself",
        ),
        (
            change(&|wanted, _| wanted.volumes[0].name = name("tank/no/web")),
            "tank/no does not exist, so tank/no/web cannot be made in it: create it with `zfs create -p tank/no`",
        ),
        (
            change(&|wanted, _| {
                wanted.golden = None;
                wanted.volumes[0].volsize = Some((2 << 20) + 512);
            }),
            "volsize 2097664 is not a multiple of the image's block size 16K; the next ones are 2M and 2064K",
        ),
        (
            change(&|wanted, _| {
                wanted.image = Image {
                    guid: Guid(9),
                    base: Some(Guid(5)),
                    parent: Some("base-1".to_owned()),
                    ..wanted.image.clone()
                };
                wanted.golden = Some(name("tank/images/new"));
            }),
            "image demo is an increment onto base-1 (snapshot guid 5), which no golden volume in tank/images has: \
             receive that image first",
        ),
    ];
    for (found, expected) in table {
        assert_eq!(found, expected);
    }
}

#[test]
fn a_volume_that_an_exchange_has_taken_away_is_not_made_anew() {
    let beside = |mark: Option<&str>| {
        let (name, mark) = ("tank/vm/gone.redeploy".to_owned(), mark.map(str::to_owned));
        Observed { beside: vec![Beside { name, mark }], ..host() }
    };
    let cut = beside(Some("new 2026-11-22T18:15:00Z"));
    let told = present(&request(&["tank/vm/gone"]), &cut).unwrap_err().to_string();
    assert!(told.contains("tank/vm/gone.redeploy, chosen on 2026-11-22T18:15:00Z"), "{told}");
    let blank =
        Wanted { name: name("tank/vm/gone"), volsize: Some(1 << 20), properties: Properties::default() };
    assert_eq!(plan::blank(blank, None, &cut).unwrap_err().to_string(), told);
    // One that was only made ready, and guests that are none of its.
    assert!(present(&request(&["tank/vm/gone"]), &beside(None)).unwrap().changed());
    assert!(present(&request(&["tank/vm/new"]), &cut).unwrap().changed());
    assert!(!present(&request(&["tank/vm/web"]), &cut).unwrap().changed());
}
