// SPDX-License-Identifier: GPL-3.0-or-later

use std::fs;

use super::*;
use crate::evidence::{Evidence, Source};
use crate::judge::{Limits, judge};
use crate::ntpctl::parse;
use crate::params::Params;

fn logged(text: &str) -> Said {
    let lines: Vec<_> = text.lines().filter(|line| !line.starts_with("###")).map(str::to_owned).collect();
    said(&lines)
}

fn server(name: &str, what: &str) -> BTreeMap<String, String> {
    [(name.to_owned(), what.to_owned())].into()
}

/// What the real daemons logged while 10.99.0.4 announced an alarm, up to their restart.
#[test]
fn the_alarm_of_the_incident() {
    let logs = [
        include_str!("../../../../tests/fixtures/ntpctl/logs/7.9p1-incident2.log"),
        include_str!("../../../../tests/fixtures/ntpctl/logs/6.2p3-incident2.log"),
    ];
    for log in logs {
        let before = log.split("ntp engine exiting").next().unwrap();
        let found = logged(before);
        let what = &found.servers["10.99.0.4"];
        assert!(
            what.starts_with("not synced (alarm), next query 3") && found.servers.len() == 1,
            "{found:?}"
        );
        assert!(found.failures.is_empty(), "{found:?}");
    }
    assert_eq!(
        logged(include_str!("../../../../tests/fixtures/ntpctl/logs/7.9p1-healthy.log")),
        Said::default()
    );
}

#[test]
fn other_words_of_the_daemon() {
    let cases = [
        (
            "reply from 192.0.2.1: negative delay -0.48s, next query 3112s",
            "negative delay -0.48s, next query 3112s",
        ),
        ("recvmsg 192.0.2.1: Connection refused", "Connection refused"),
        ("sendto 192.0.2.1: Network is unreachable", "Network is unreachable"),
        ("peer 192.0.2.1 now invalid", "now invalid"),
    ];
    for (line, what) in cases {
        assert_eq!(logged(line).servers, server("192.0.2.1", what), "{line}");
        assert!(logged(&format!("{line}\npeer 192.0.2.1 now valid")).servers.is_empty(), "{line}");
        assert!(logged(&format!("{line}\nntp engine ready")).servers.is_empty(), "{line}");
    }
    let may_not = "adjtime failed: Operation not permitted: the daemon may not set the clock";
    assert_eq!(logged("adjtime failed: Operation not permitted\n".repeat(9).as_str()).failures, [may_not]);
    for line in [
        "clock is now unsynced due to lack of replies",
        "no constraint reply from 192.0.2.9 received in time",
    ] {
        assert_eq!(logged(line).failures, [line]);
    }
    assert_eq!(logged("hello\npeer pressure\nreply from nobody\n"), Said::default());
}

#[test]
fn a_file_of_syslog_is_read_from_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("daemon.log");
    let filler = "Nov 28 18:31:22 hv1 sshd[1]: reply from 192.0.2.7: not synced (alarm)\n".repeat(9000);
    let lines = "Nov 28 18:31:23 hv1 ntpd[932]: reply from 192.0.2.4: not synced (alarm), next query 3112s\n\
                 2026-11-28T18:31:24.5+00:00 hv1 ntpd[931]: adjtime failed: Operation not permitted\n\
                 Nov 28 18:31:25 hv1 ntpdate[7]: adjust time server\n";
    fs::write(&path, format!("{filler}{lines}")).unwrap();
    let found = read(Kind::Openntpd, Some(&path));
    assert_eq!(found.servers, server("192.0.2.4", "not synced (alarm), next query 3112s"));
    assert_eq!(found.failures.len(), 1);
    for nothing in [folder.path().join("none"), folder.path().to_owned()] {
        assert_eq!(read(Kind::Openntpd, Some(&nothing)), Said::default());
    }
}

#[test]
fn a_judgement_is_explained_and_not_made_worse() {
    let text = include_str!("../../../../tests/fixtures/ntpctl/7.9p1/incident2-02-alarm-12min.all.txt");
    let judged = |text: &str| {
        let evidence = Evidence::of_source(1_700_000_000.0, Source::Openntpd(parse(text).unwrap()));
        judge(&evidence, &Limits::new(&Params::default(), "linux"))
    };
    let said = Said {
        servers: server("10.99.0.4", "not synced (alarm), next query 3112s"),
        failures: vec!["adjtime failed".to_owned()],
    };
    let mut judgement = judged(text);
    let before = (judgement.verdict, judgement.severity);
    judgement.explain(&said);
    assert_eq!((judgement.verdict, judgement.severity), before);
    let told = "the daemon's log says of 10.99.0.4: not synced (alarm), next query 3112s";
    assert!(judgement.reasons.iter().skip(1).any(|reason| reason == told), "{:?}", judgement.reasons);
    assert!(judgement.reasons[0].starts_with("10.99.0.4 is counted as valid"), "{:?}", judgement.reasons);
    let mut good = judged(include_str!("../../../../tests/fixtures/ntpctl/7.9p1/healthy-06-later.all.txt"));
    let unchanged = good.clone();
    good.explain(&said);
    assert_eq!(good, unchanged);
}

#[test]
fn a_pipe_in_place_of_the_log_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("daemon.log");
    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
    assert_eq!(read(Kind::Openntpd, Some(&path)), Said::default());
}
