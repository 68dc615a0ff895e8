// SPDX-License-Identifier: GPL-3.0-or-later

use super::*;

fn openntpd(source: Source) -> Asked {
    Asked { kind: Kind::Openntpd, source }
}

#[test]
fn ntpd_is_asked_where_nobody_else_answers() {
    let answers = || Source::Openntpd(Report::default());
    let no_tool = || Source::Failed(Failure::no_tool("not installed"));
    let no_daemon = || Source::Failed(Failure::no_daemon("not running"));
    let silent = || Source::Failed(Failure::not_answering("mode 6 is not spoken"));
    let cases = [
        (answers(), answers(), Kind::Openntpd),
        (no_daemon(), answers(), Kind::Ntp),
        (no_daemon(), silent(), Kind::Openntpd),
        (no_daemon(), no_daemon(), Kind::Openntpd),
        (no_tool(), no_daemon(), Kind::Ntp),
        (no_tool(), no_tool(), Kind::Openntpd),
    ];
    for (at, (first, ntp, kind)) in cases.into_iter().enumerate() {
        assert_eq!(openntpd(first).or_else(|| Asked { kind: Kind::Ntp, source: ntp }).kind, kind, "{at}");
    }
}

#[test]
fn of_two_daemons_the_one_that_runs_is_judged() {
    let running = || Source::Openntpd(Report::default());
    let no_tool = || Source::Failed(Failure::no_tool("not installed"));
    let no_daemon = || Source::Failed(Failure::no_daemon("not running"));
    let refused = || Source::Failed(Failure::no_permission("not root"));
    let hung = || Source::Failed(Failure::not_answering("hung"));
    let cases = [
        ("both run", running(), running(), Kind::Openntpd),
        ("one hangs", hung(), running(), Kind::Openntpd),
        ("one may not be asked", refused(), running(), Kind::Chrony),
        ("one may not be asked, the other does not run", refused(), no_daemon(), Kind::Openntpd),
        ("neither may be asked", refused(), refused(), Kind::Openntpd),
        ("one is installed only", no_daemon(), running(), Kind::Chrony),
        ("one is installed only, the other hangs", no_daemon(), hung(), Kind::Chrony),
        ("both are installed only", no_daemon(), no_daemon(), Kind::Openntpd),
        ("one is missing", no_tool(), no_daemon(), Kind::Chrony),
        ("the other is missing", no_daemon(), no_tool(), Kind::Openntpd),
        ("both are missing", no_tool(), no_tool(), Kind::Openntpd),
    ];
    for (name, first, second, kind) in cases {
        assert_eq!(
            openntpd(first).or_in_charge(|| Asked { kind: Kind::Chrony, source: second }).kind,
            kind,
            "{name}"
        );
    }
}
