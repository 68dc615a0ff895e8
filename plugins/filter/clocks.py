# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The clocks of a fleet as people read them."""

from __future__ import annotations

# The worst first; a host without an answer is as bad as an unknown clock.
ORDER = ("critical", "unknown", "warning", "ok")


def row_of(host, reply):
    """One line of the table, and how bad it is."""
    if not reply or "verdict" not in reply:
        why = "unreachable" if reply and reply.get("unreachable") else "no answer"
        return "unknown", [host, "unknown", "-", "-", " ".join(str((reply or {}).get("msg") or why).split())]
    clock = reply["clock"]
    error = clock.get("clock_error")
    reasons = reply.get("reasons") or reply.get("notes") or [""]
    why = reasons[0] + done_about(reply)
    peers = "%d/%d" % (clock.get("valid_peers", 0), clock.get("total_peers", 0))
    shown = "-" if error is None else "%.1f ms" % (error * 1000)
    return reply["severity"], [host, "%s (%s)" % (reply["verdict"], reply["severity"]), shown, peers, why]


def done_about(reply):
    """What the module did, or in check mode would do."""
    if reply.get("restarted"):
        return " (restarted)"
    return " (would be restarted)" if (reply.get("repair") or {}).get("restart") else ""


def clock_table(hostvars, hosts):
    """A heading and one line a host, the worst first."""
    rows = [row_of(host, hostvars[host].get("ntp_clock")) for host in hosts]
    rows.sort(key=lambda row: (ORDER.index(row[0]), row[1][0]))
    table = [["host", "verdict", "error", "peers", "why"]] + [row for _severity, row in rows]
    widths = [max(len(row[column]) for row in table) for column in range(4)]
    return ["  ".join([*(cell.ljust(width) for cell, width in zip(row, widths)), row[4]]).rstrip() for row in table]


class FilterModule:
    """Filters of playbooks/ntp.yml."""

    def filters(self):
        """Names in playbooks."""
        return {"clock_table": clock_table}
