# SPDX-License-Identifier: GPL-3.0-or-later
"""Several runs at once for the same image: one of them receives it, all guests are right."""

from __future__ import annotations

import pytest

@pytest.mark.parametrize("count", [2, 8])
def test_runs_at_once_for_different_guests(guest, place, count):
    options = [
        {"src": place.src("lz4-plain"), "golden": place.images, "dataset": f"{place.vm}/web{n}", "volsize": f"{20 + n}M"}
        for n in range(count)
    ]
    replies = guest.script("runs.py", stdin=options)
    for number, reply in enumerate(replies):
        assert reply.get("failed") is None and reply["changed"] is True, reply
        assert reply["volume"]["size"] == (20 + number) << 20
    assert sum("receive" in reply["timings"] for reply in replies) == 1
    golden = f"{place.images}/lz4-plain"
    assert place.names() == sorted([golden, f"{golden}@image", *(f"{place.vm}/web{n}" for n in range(count))])
    sums = guest.sh("; ".join(f"head -c 16777216 {reply['volume']['device']} | sha256sum" for reply in replies)).split()[::2]
    assert set(sums) == {"213de5278ceb4369a55895208beb26ad48af5fe711dbfeb04d0343a463bbca25"}


def test_runs_at_once_for_the_same_guest(guest, place):
    options = [{"src": place.src("tiny-plain"), "golden": place.images, "dataset": f"{place.vm}/web"}] * 3
    replies = guest.script("runs.py", stdin=options)
    assert sorted(reply["changed"] for reply in replies) == [False, False, True], replies
