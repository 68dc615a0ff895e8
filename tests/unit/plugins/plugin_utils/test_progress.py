# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.apiary.bhyve.plugins.plugin_utils._progress import describe

RECORDS = [
    (
        '{"label": "receiving web1", "bytes": 536870912, "total": 2147483648, "seconds": 2.0}',
        "receiving web1: 512 MiB of 2.0 GiB, 256 MiB/s, 6 s left",
    ),
    (
        '{"label": "fetching", "bytes": 3145728, "total": null, "seconds": 1.5}',
        "fetching: 3.0 MiB, 2.0 MiB/s",
    ),
    (
        '{"label": "fetching", "bytes": 1024, "total": 209715200, "seconds": 0.5}',
        "fetching: 1.0 KiB of 200 MiB, 2.0 KiB/s, 1706 min 40 s left",
    ),
    ('{"label": "x", "bytes": 0, "total": 7, "seconds": 0}', "x: 0 B of 7 B, 0 B/s"),
    ('{"label": "x", "bytes": 7, "total": 7, "seconds": 1}', "x: 7 B of 7 B, 7 B/s"),
    (
        r'{"label": "a\u001b]0;x\u0007\r\nb\u202ec", "bytes": 1, "total": "2", "seconds": 1}',
        r"a\x1b]0;x\x07\r b\u202ec: 1 B of 2 B, 1 B/s, 1 s left",
    ),
    ('{"label": "x", "bytes": 1, "total": "\\u001b[2J", "seconds": 1}', ""),
    ('{"label": "x", "bytes": 1%s, "seconds": 1}' % ("0" * 400), ""),
    ('{"label": "x", "bytes": 1, "total": 1%s, "seconds": 0}' % ("0" * 400), ""),
    ('{"label": "x", "bytes": 1, "total": 5, "seconds": 1e308}', ""),
    ("", ""),
    ("half a reco", ""),
    ("[1]", ""),
    ('{"bytes": 1}', ""),
    ('{"label": "x", "bytes": "many", "seconds": 1}', ""),
]


@pytest.mark.parametrize("record, line", RECORDS)
def test_a_record_becomes_a_line(record, line):
    assert describe(record) == line
