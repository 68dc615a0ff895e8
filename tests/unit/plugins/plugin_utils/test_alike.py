# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `--diff` shows of many guests."""

from __future__ import annotations

from ansible_collections.apiary.bhyve.plugins.plugin_utils._alike import without_repetition

DOMAIN = "<domain>\n  <name>%s</name>\n" + "".join("  <part>%d</part>\n" % number for number in range(40)) + "</domain>\n"


def new(name, after=None):
    return {"before": "", "after": after or DOMAIN % name, "before_header": name + ": domain", "after_header": name + ": domain"}


def test_twenty_alike_guests_are_not_shown_twenty_times():
    shown = without_repetition([new("web%d" % number) for number in range(20)])
    assert shown[:3] == [new("web0"), new("web1"), new("web2")]
    assert shown[3:] == [
        {"prepared": "+++ web%d: domain; new, as that of web0 but for\n-  <name>web0</name>\n+  <name>web%d</name>\n" % (number, number)} for number in range(3, 20)
    ]


def test_a_few_and_what_is_like_none_are_shown_whole():
    few = [new("web%d" % number) for number in range(3)]
    other = new("db1", "something else\n" * 9)
    changed = {"before": DOMAIN % "old", "after": DOMAIN % "web9", "before_header": "web9", "after_header": "web9"}
    assert without_repetition([*few, other, changed]) == [*few, other, changed]
    # It is a model for those that are like it.
    assert without_repetition([*few, other, new("db2", "something else\n" * 9 + "more\n")])[-1]["prepared"] == "+++ db2: domain; new, as that of db1 but for\n+more\n"
