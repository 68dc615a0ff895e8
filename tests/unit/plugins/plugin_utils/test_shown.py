# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.apiary.bhyve.plugins.plugin_utils._shown import all_shown


def test_every_text_of_a_reply_is_fit_for_a_terminal():
    reply = {"msg": "ok\x1b[2J", "lines": ["a\tb\nc\r", {"k\x9b": "\u202e"}], "count": 3, "none": None}
    assert all_shown(reply) == {
        "msg": "ok\\x1b[2J",
        "lines": ["a\tb\nc\\r", {"k\\x9b": "\\u202e"}],
        "count": 3,
        "none": None,
    }


def test_what_people_write_stays():
    for text in ("über ☃ 日本", "", "plain\ttext\n", "a\u00a0b", "👩\u200d🚀"):
        assert all_shown(text) == text
