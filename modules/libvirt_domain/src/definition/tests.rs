// SPDX-License-Identifier: GPL-3.0-or-later

//! Definitions that are taken, completed and refused.

use super::*;

fn name(name: &str) -> DomainName {
    DomainName::try_from(name.to_owned()).unwrap()
}

fn parse(xml: &str) -> Result<Definition> {
    Definition::parse(xml, &name("web1"))
}

const UUID: Uuid = Uuid::from_u128(0x1234_5678_9abc_4def_8123_4567_89ab_cdef);

fn complete(xml: &str) -> String {
    parse(xml).unwrap().complete(UUID, &["52:54:00:00:00:01".into(), "52:54:00:00:00:02".into()], None)
}

#[test]
fn uuid_and_macs_are_put_in_where_they_are_missing() {
    assert_eq!(
        complete(
            "<domain type='kvm'>\n <name>web1</name>\n <devices>\n  <interface type='user'/>\n  \
             <interface type='bridge'>\n   <source bridge='b0'/>\n  </interface>\n </devices>\n</domain>"
        ),
        "<domain type='kvm'>\n <name>web1</name><uuid>12345678-9abc-4def-8123-456789abcdef</uuid>\n <devices>\n  \
         <interface type='user'><mac address='52:54:00:00:00:01'/></interface>\n  \
         <interface type='bridge'><mac address='52:54:00:00:00:02'/>\n   <source bridge='b0'/>\n  </interface>\n \
         </devices>\n</domain>"
    );
}

#[test]
fn what_is_given_stays() {
    let xml = "<domain type='kvm'><name>web1</name><uuid>11111111-2222-4333-8444-555555555555</uuid><devices>\
               <interface type='user'><mac address='52:54:00:AA:bb:cc'/></interface></devices></domain>";
    let definition = parse(xml).unwrap();
    assert_eq!(complete(xml), xml);
    assert_eq!(definition.macs().collect::<Vec<_>>(), [Some("52:54:00:aa:bb:cc")]);
}

#[test]
fn a_name_behind_the_devices_is_found_again() {
    assert_eq!(
        complete(
            "<domain type='kvm'><devices><interface type='user'></interface></devices><name>web1</name></domain>"
        ),
        "<domain type='kvm'><devices><interface type='user'><mac address='52:54:00:00:00:01'/></interface></devices>\
         <name>web1</name><uuid>12345678-9abc-4def-8123-456789abcdef</uuid></domain>"
    );
}

#[test]
fn memory_disks_and_bridges_are_read() {
    let definition = parse(
        "<domain type='bhyve'><name>web1</name><memory unit='GiB'>2</memory><devices>\
         <disk type='file'><source file='/dev/zvol/tank/web1'/></disk><disk type='block'><source dev='/dev/x'/></disk>\
         <disk type='volume'><source pool='p' volume='v'/></disk><disk type='file' device='cdrom'/>\
         <interface type='bridge'><source bridge='bridge0'/></interface>\
         <interface type='network'><source network='n'/></interface></devices></domain>",
    )
    .unwrap();
    assert_eq!(definition.memory(), Some(2 << 30));
    assert_eq!(definition.disks(), [PathBuf::from("/dev/zvol/tank/web1"), PathBuf::from("/dev/x")]);
    assert_eq!(definition.bridges().iter().collect::<Vec<_>>(), ["bridge0"]);
}

#[test]
fn what_is_not_this_domain_is_refused() {
    let domain = |inner: &str| format!("<domain type='kvm'><name>web1</name>{inner}</domain>");
    let cases = [
        ("<network/>".to_owned(), "expected a <domain>, found a <network>"),
        ("<domain xmlns='urn:x' type='kvm'/>".to_owned(), "expected a <domain>, found a <domain>"),
        ("<domain><name>web1</name></domain>".to_owned(), "expected <domain type='...'>, found no type"),
        ("<domain type='kvm'/>".to_owned(), "expected one <name>, found 0"),
        (domain("<name>web1</name>"), "expected one <name>, found 2"),
        (
            "<domain type='kvm'><name>web2</name></domain>".to_owned(),
            "expected <name>web1</name> as in option `name`, found \"web2\"",
        ),
        (
            "<domain type='kvm'><name>web1<!-- --></name></domain>".to_owned(),
            "expected <name>web1</name> as in option `name`, found \"web1\"",
        ),
        (domain("<vcpu>-1</vcpu>"), "expected <vcpu> to be 1 to 8192, found \"-1\""),
        (domain("<iothreads>8193</iothreads>"), "expected <iothreads> to be 0 to 8192, found \"8193\""),
        (domain("<memory>lots</memory>"), "expected <memory> to be a number, found \"lots\""),
        (domain("<memory>0</memory>"), "expected <memory> to be a number, found \"0\""),
        (
            domain("<memory unit='TiB'>99999999999</memory>"),
            "expected <memory> to be a number, found \"99999999999\"",
        ),
        (
            domain("<memory unit='furlong'>1</memory>"),
            "expected a unit of memory such as MiB, found \"furlong\"",
        ),
        (
            domain("<devices><interface><mac address='52:54:00'/></interface></devices>"),
            "expected a MAC address as in 52:54:00:12:34:56, found \"52:54:00\"",
        ),
        (
            domain(
                "<devices><interface><mac address='52:54:00:00:00:0A'/></interface>\
                 <interface><mac address='52:54:00:00:00:0a'/></interface></devices>",
            ),
            "expected a MAC address of its own on each interface, found 52:54:00:00:00:0a twice",
        ),
    ];
    for (xml, message) in cases {
        let found = format!("{:#}", parse(&xml).unwrap_err());
        assert_eq!(found, format!("reading option `xml` of domain web1: {message}"));
    }
    let error = parse(&domain("<uuid>none</uuid>")).unwrap_err();
    assert!(
        format!("{error:#}")
            .starts_with("reading option `xml` of domain web1: expected a UUID, found \"none\": ")
    );
}

#[test]
fn passwords_are_hidden_in_bhyves_arguments() {
    let definition = parse(
        "<domain type='bhyve'><name>web1</name><devices><graphics passwd='a,b'/><graphics passwd=''/></devices></domain>",
    )
    .unwrap();
    assert_eq!(
        definition.hide_secrets("-s 3,fbuf,password=a,,b -s 4,x,a,b".to_owned()),
        "-s 3,fbuf,password=******** -s 4,x,********"
    );
}

#[test]
fn a_turn_is_put_into_the_metadata() {
    let turn = Some(Turn { order: Some(10), delay: 30 });
    let boot = "<apiaryboot:boot xmlns:apiaryboot='urn:x-apiary:bhyve:boot:1' order='10' delay='30'/>";
    let uuid = "<uuid>12345678-9abc-4def-8123-456789abcdef</uuid>";
    for (given, expected) in [
        ("<name>web1</name>".to_owned(), format!("<name>web1</name>{uuid}<metadata>{boot}</metadata>")),
        (
            "<metadata/><name>web1</name>".to_owned(),
            format!("<metadata>{boot}</metadata><name>web1</name>{uuid}"),
        ),
        (
            format!("<name>web1</name>{uuid}<metadata></metadata>"),
            format!("<name>web1</name>{uuid}<metadata>{boot}</metadata>"),
        ),
        (
            format!("<name>web1</name>{uuid}<metadata><a:b xmlns:a='urn:a'/></metadata>"),
            format!("<name>web1</name>{uuid}<metadata>{boot}<a:b xmlns:a='urn:a'/></metadata>"),
        ),
    ] {
        let domain = |inner: &str| format!("<domain type='kvm'>{inner}</domain>");
        assert_eq!(parse(&domain(&given)).unwrap().complete(UUID, &[], turn), domain(&expected));
    }
}
