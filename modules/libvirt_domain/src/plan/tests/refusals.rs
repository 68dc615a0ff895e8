// SPDX-License-Identifier: GPL-3.0-or-later

//! What is refused, and in which words.

use std::path::PathBuf;

use super::*;
use crate::bhyve::losses::Loss;
use crate::observe::Neighbour;

#[test]
fn a_definition_that_does_not_fit_is_refused() {
    let definition = definition(OTHER);
    let refuse = |around: Surroundings| {
        let observed = Observed { found: Some(off()), surroundings: Some(around), ..Observed::default() };
        plan(&params(json!({})), Some(&definition), &observed).unwrap_err().to_string()
    };
    let around = || Surroundings { uuid: UUID, host_memory: 4 << 30, ..Surroundings::default() };
    let neighbour = |uuid| Neighbour { name: "db1".into(), uuid, macs: vec!["52:54:00:00:00:01".into()] };
    assert_eq!(
        refuse(Surroundings { host_memory: 1 << 30, ..around() }),
        "defining domain web1: expected at most the host's 1073741824 bytes of memory, found 2G; give it less"
    );
    assert_eq!(
        refuse(Surroundings { uuid: Uuid::from_u128(8), ..around() }),
        "defining domain web1: expected its UUID 00000000-0000-0000-0000-000000000007 in the XML, found \
         00000000-0000-0000-0000-000000000008; remove the domain first to give it another one"
    );
    assert_eq!(
        refuse(Surroundings { neighbours: vec![neighbour(UUID)], ..around() }),
        "defining domain web1: expected a UUID of its own, found 00000000-0000-0000-0000-000000000007 in use by domain \
         db1; give another <uuid>"
    );
    assert_eq!(
        refuse(Surroundings {
            neighbours: vec![neighbour(Uuid::nil())],
            macs: vec!["52:54:00:00:00:01".into()],
            ..around()
        }),
        "defining domain web1: expected MAC addresses of its own, found 52:54:00:00:00:01 in use by domain db1; give \
         another <mac address='...'/>"
    );
}

#[test]
fn what_is_missing_is_listed() {
    let around = Surroundings {
        host_memory: 4 << 30,
        uuid: UUID,
        absent_disks: vec![PathBuf::from("/dev/zvol/tank/web1")],
        absent_bridges: vec!["bridge0".into()],
        ..Surroundings::default()
    };
    let observed = Observed { surroundings: Some(around), ..Observed::default() };
    let plan = plan(&params(json!({})), Some(&definition(XML)), &observed).unwrap();
    assert_eq!(plan.missing, ["disk /dev/zvol/tank/web1", "bridge bridge0"]);
}

#[test]
fn what_the_driver_would_leave_out_is_refused_or_told() {
    let with = |is_grave| {
        let loss = Loss { words: "libvirt leaves it out".into(), is_grave };
        let around =
            Surroundings { losses: vec![loss], uuid: UUID, host_memory: 4 << 30, ..Surroundings::default() };
        let observed = Observed { surroundings: Some(around), ..Observed::default() };
        plan(&params(json!({})), Some(&definition(XML)), &observed)
    };
    assert_eq!(with(true).unwrap_err().to_string(), "defining domain web1: libvirt leaves it out");
    assert_eq!(with(false).unwrap().warnings, ["domain web1: libvirt leaves it out"]);
}

#[test]
fn what_bhyve_cannot_be_waited_for_is_refused_at_once() {
    const MODEM: &str = "<domain type='bhyve'><name>web1</name><devices><serial type='nmdm'><source master='/dev/nmdm0A' \
                         slave='/dev/nmdm0B'/></serial></devices></domain>";
    const LOG: &str = "<domain type='bhyve'><name>web1</name><devices><serial type='nmdm'><log file='/l'/></serial></devices></domain>";
    let refused = |uri: &str, xml: &str, wait: Value| {
        let plan = planned(json!({"uri": uri, "wait_for": wait}), Some(xml), None);
        plan.err().map(|error| error.to_string()).unwrap_or_default()
    };
    let (here, there) = ("bhyve:///system", "bhyve+ssh://hv1/system");
    let cases = [
        (
            here,
            XML,
            json!({"agent": true}),
            "expected libvirt 12.4 or newer for `agent` on bhyve, found 11.3.0",
        ),
        (
            here,
            XML,
            json!({"console": "login:"}),
            "expected a console that can be read, a <serial type='nmdm'>, found none",
        ),
        (here, LOG, json!({"console": "login:"}), "expected a console that can be read"),
        (
            there,
            MODEM,
            json!({"console": "login:"}),
            "expected a connection to this machine, found bhyve+ssh://hv1/system",
        ),
    ];
    for (uri, xml, wait, words) in cases {
        let message = refused(uri, xml, wait);
        assert!(message.starts_with("waiting for domain web1: ") && message.contains(words), "{message}");
    }
    assert_eq!(refused(here, MODEM, json!({"console": "login:"})), "");
    assert_eq!(refused(there, XML, json!({"host": "::1", "port": 22})), "");
    assert_eq!(refused("qemu:///system", XML, json!({"agent": true})), "");
}
