// SPDX-License-Identifier: GPL-3.0-or-later

use super::*;

/// `ps -A -o pid= -o etime= -o args=` of procps 4.0.2 beside a running OpenNTPD 6.2p3.
const LINUX: &str = "      1    03:14:15 /sbin/init
    931 2-00:00:07 /usr/sbin/ntpd -f /etc/openntpd/ntpd.conf
    932 2-00:00:07 ntpd: ntp engine
    933 2-00:00:07 ntpd: dns engine
";

#[test]
fn the_engine_is_found_with_its_age() {
    let host = Host::at("/nowhere");
    let daemon = |listed: &str, kind| find(listed, kind, &host).map(|found| found.daemon);
    let found = daemon(LINUX, Kind::Openntpd).unwrap();
    assert_eq!(found, Some(Process { pid: 932, uptime: 172_807 }));
    assert_eq!(daemon(LINUX, Kind::Chrony).unwrap(), None);
    let chrony = daemon(" 77 05 /usr/sbin/chronyd -F 1\n", Kind::Chrony).unwrap();
    assert_eq!(chrony, Some(Process { pid: 77, uptime: 5 }));
    let error = daemon("77 x ntpd: ntp engine\n", Kind::Openntpd).unwrap_err();
    assert!(format!("{error:#}").contains("\"x\" is not an elapsed time"), "{error:#}");
}

#[test]
fn who_else_sets_the_clock() {
    let host = Host::at("/nowhere");
    let rivals = |more: &str, kind| find(&format!("{LINUX}{more}"), kind, &host).unwrap().rivals;
    assert!(rivals("", Kind::Openntpd).is_empty());
    let chronyd = " 77 05 /usr/sbin/chronyd -F 1\n";
    assert_eq!(rivals(chronyd, Kind::Openntpd), ["chronyd (process 77)"]);
    assert_eq!(rivals(chronyd, Kind::Chrony), ["ntpd (process 931)"]);
    assert_eq!(rivals(chronyd, Kind::Ntp), ["chronyd (process 77)"]);
    assert!(rivals(" 77 05 /usr/sbin/chronyd -x\n", Kind::Openntpd).is_empty());
    let timesyncd = " 300 05:00 /lib/systemd/systemd-timesyncd\n";
    assert_eq!(rivals(timesyncd, Kind::Openntpd), ["systemd-timesyncd (process 300)"]);
    let card = " 77 05:00 /usr/sbin/phc2sys -s CLOCK_REALTIME -c eth0 -w\n 78 05:00 phc2sys -a\n";
    assert!(rivals(card, Kind::Openntpd).is_empty(), "the clock of a network card");
    let by_card = " 77 05:00 /usr/sbin/phc2sys -s eth0 -w\n 78 05:00 phc2sys -a -r\n";
    assert_eq!(rivals(by_card, Kind::Openntpd).len(), 2);
    let second = " 1200 05:00 /usr/sbin/ntpd -p /var/run/ntpd.pid -g\n";
    assert_eq!(rivals(second, Kind::Openntpd), ["ntpd (process 931)", "ntpd (process 1200)"]);
}

#[test]
fn drift_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ntpd.drift");
    for (text, expected) in [("-12.345\n", Some(-12.345)), ("", None), ("\n", None)] {
        fs::write(&path, text).unwrap();
        assert_eq!(drift(Some(&path)).unwrap(), expected, "{text:?}");
    }
    for text in ["nan", "fast", "1 2"] {
        fs::write(&path, text).unwrap();
        let expected =
            format!("reading the drift file {}: expected a number, found {text:?}", path.display());
        assert_eq!(format!("{:#}", drift(Some(&path)).unwrap_err()), expected);
    }
}

#[test]
fn listening_hosts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ntpd.conf");
    fs::write(&path, "# listen on *\nlisten on 127.0.0.1\n listen on ::1 rtable 4\nserver a\n").unwrap();
    assert_eq!(listens(Some(&path)).unwrap(), ["127.0.0.1", "::1"]);
}
