# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of playbooks/ntp.yml."""

from __future__ import annotations

from ansible_collections.apiary.bhyve.plugins.filter.clocks import clock_table


def reply(verdict, severity, error, **more):
    return {
        "ntp_clock": {
            "verdict": verdict,
            "severity": severity,
            "clock": {"clock_error": error, "valid_peers": 3, "total_peers": 4},
            **more,
        }
    }


def test_the_worst_first_and_nobody_left_out():
    fleet = {
        "a": reply("ok", "ok", 0.0001),
        "b": reply("blocked", "critical", -0.984784, reasons=["192.0.2.4 blocks", "and more"], restarted=True),
        "c": reply("slewing", "warning", 0.1, reasons=["right in 3 min"]),
        "d": {"ntp_clock": {"unreachable": True, "msg": "no route to host"}},
        "e": {},
        "f": reply("no_daemon", "critical", None, reasons=["not running"]),
        "g": reply("stuck", "critical", 0.4, reasons=["nothing corrects it"], restarted=False, repair={"restart": True}),
    }
    assert clock_table(fleet, list(fleet)) == [
        "host  verdict               error      peers  why",
        "b     blocked (critical)    -984.8 ms  3/4    192.0.2.4 blocks (restarted)",
        "f     no_daemon (critical)  -          3/4    not running",
        "g     stuck (critical)      400.0 ms   3/4    nothing corrects it (would be restarted)",
        "d     unknown               -          -      no route to host",
        "e     unknown               -          -      no answer",
        "c     slewing (warning)     100.0 ms   3/4    right in 3 min",
        "a     ok (ok)               0.1 ms     3/4",
    ]


def test_hosts_that_were_not_asked_are_not_shown():
    assert clock_table({"a": {}, "b": {}}, []) == ["host  verdict  error  peers  why"]
