# SPDX-License-Identifier: GPL-3.0-or-later
# GPL-3.0-or-later
"""What happens to healthy daemons, and what a restart does not cure: with repair on, none of them is restarted."""

from lab import ADDRESSES
from scenarios import expect, synced

SET = "somebody has set the clock by"


def look(lab, *flags):
    """One look with repair on, which must not touch the daemon."""
    found = lab.check("--repair", *flags)
    assert found["restarted"] is False and not lab.restarts(), found
    return found


def looks(lab, minutes, never=("blocked", "stuck")):
    """Such looks as cron takes them, a few seconds late each."""
    end = lab.clock.now + int(minutes * 60e9)
    while lab.clock.now < end:
        lab.run(minutes=5 + lab.vary(0, 0.3))
        found = look(lab)
        assert found["verdict"] not in never, found
        yield found


def said(found, key, words):
    """The sentence of a look that has these words, or nothing."""
    return next((sentence for sentence in found[key] if words in sentence), "")


def watched(lab):
    """A synced daemon that has been looked at."""
    synced(lab)
    for found in looks(lab, minutes=10):
        expect(found, verdict="ok", severity="ok")


def recovers(lab):
    """In the end the clock is right, and said to be. A step may have taught the daemon a frequency that cancels all it slews from then on:
    a clock that truly gets no better is called stuck, for which a restart is the cure, and no other."""
    errors, stuck = [abs(lab.clock.error)], 0
    while len(errors) < 48:
        lab.run(minutes=5 + lab.vary(0, 0.3))
        found = lab.check("--repair")
        errors.append(abs(lab.clock.error))
        stuck = stuck + 1 if found["verdict"] == "stuck" else 0
        if stuck or found["restarted"]:
            assert errors[-1] > 0.9 * max(errors[-4:]), (errors, found)
        expect(found, blocking_peers=[])
        if found["restarted"] or stuck == 6 or (found["verdict"] == "ok" and errors[-1] < 0.05):
            return
    raise AssertionError(f"neither right nor stuck within four hours: {errors}, {found}")


def nothing_concluded(lab):
    """The look that follows hours without any."""
    lab.run(minutes=lab.vary(0, 2))
    found = look(lab)
    assert found["verdict"] not in ("blocked", "stuck"), found
    assert "nothing is concluded from what did not move since" in said(found, "notes", "the last look was"), found


def suspended(lab, version):
    watched(lab)
    lab.suspend(hours=8 * lab.vary(0.8, 1.2))
    nothing_concluded(lab)
    recovers(lab)


def paused(lab, version):
    watched(lab)
    lab.pause(hours=lab.vary(2, 8))
    nothing_concluded(lab)
    recovers(lab)


def stepped(lab, step):
    watched(lab)
    lab.set_by(step)
    lab.run(minutes=lab.vary(0.2, 4))
    found = look(lab)
    assert f"{SET} {'-' if step < 0 else ''}" in said(found, "notes", SET), found
    recovers(lab)


def stepped_forward(lab, version):
    stepped(lab, lab.vary(0.4, 1))


def stepped_back(lab, version):
    stepped(lab, -lab.vary(0.4, 1))


def set_far_off(lab, version):
    """What takes longer than a day to slew has to be set; no restart does that."""
    watched(lab)
    lab.set_by(lab.vary(60, 3600))
    found = {}
    for found in looks(lab, minutes=60):
        # Rows are means of replies before and after the step for a while.
        if found["verdict"] == "offset" and said(found, "reasons", "it cannot be slewed away"):
            break
    expect(found, verdict="offset", severity="critical")
    assert "and has to be set" in said(found, "reasons", "it cannot be slewed away"), found


def restart_loop(lab, version):
    """Somebody starts it again before it has ever been synced."""
    lab.start_daemon()
    found, began = {}, lab.clock.now
    while lab.clock.now - began < 30 * 60e9:
        for _ in range(2):
            lab.run(minutes=lab.vary(1, 2.5))
            lab.restart_daemon()
        lab.run(minutes=lab.vary(0.1, 1))
        found = look(lab)
        assert found["verdict"] in ("starting", "unsynced"), found
        if found["verdict"] == "unsynced":
            break
    expect(found, severity="critical")
    assert "restart loop: the daemon has been started" in found["reasons"][0], found
    recovers(lab)


def powerless(lab, version):
    """No CAP_SYS_TIME: what it shows goes up with each reply and back to nothing with each attempt."""
    lab.set_by(lab.vary(0.3, 2))
    lab.clock.refuse()
    lab.start_daemon()
    lab.run(minutes=15)
    error = lab.clock.error
    for found in looks(lab, minutes=25):
        expect(found, verdict="unsynced", severity="critical")
        assert "the daemon may not set the clock (it has no CAP_SYS_TIME)" in found["reasons"][0], found
    assert lab.clock.error == error, "somebody has set the clock"


def second_master(lab, version):
    """chronyd beside it, which sets the clock now and then; and a block, which a restart would end, and not that."""
    watched(lab)
    lab.others.append("931 02:00:00 /usr/sbin/chronyd -F 1\n")
    rival = "somebody else sets the clock, too: chronyd (process 931)"
    for found in looks(lab, minutes=15):
        assert "stop one of them" in said(found, "reasons", rival), found
        lab.set_by(lab.vary(0.3, 0.6) * lab.random.choice([1, -1]))
    found = look(lab)
    assert "more in a day" in said(found, "reasons", SET), found
    lab.world.servers[3].mode = "alarm"
    found = until_named(lab, lab.world.servers[3], otherwise=None)
    assert said(found["repair"], "refused", rival), found


def constraints_off(lab, version):
    """Nobody answers where the constraints are asked for. Up to 6.6 the daemon goes on without, and does not show them."""
    lab.configuration += f'constraint from "https://{ADDRESSES[0]}/"\n'
    lab.start_daemon()
    lab.run(minutes=16)
    for found in looks(lab, minutes=15):
        if version < (6, 7):
            expect(found, verdict="ok", severity="ok")
        else:
            expect(found, verdict="unsynced", severity="critical")
            assert "constraints are configured but none is available" in found["reasons"][0], found


def network_down(lab, version):
    """Nobody answers for a while. Up to 6.7 the daemon says synced all the same."""
    watched(lab)
    for server in lab.world.servers:
        server.mode = "silent"
    lab.run(minutes=lab.vary(20, 60))
    found = look(lab)
    expect(found, verdict="unsynced", severity="critical")
    claim = "the daemon says synced, but none of its 4 peers is valid" if version < (6, 8) else "not synced: 0 of 4 peers valid"
    assert claim in found["reasons"][0], found
    for server in lab.world.servers:
        server.mode = "normal"
    recovers(lab)


def until_named(lab, server, otherwise="ok"):
    """The look that follows the first reply of a server that has turned bad."""
    for found in looks(lab, minutes=120, never=()):
        if lab.has_logged(f"reply from {server.address}: not synced"):
            expect(found, verdict="blocked", blocking_peers=[server.address])
            return found
        expect(found, blocking_peers=[])
        assert otherwise in (None, found["verdict"]), found
    raise AssertionError(f"{server.address} was not asked within two hours: {found}")


def unusable_reply(lab, version):
    """A server that has lost its own source: named by the look that follows its reply."""
    watched(lab)
    server = lab.random.choice(lab.world.servers)
    server.mode = "unsynchronised"
    found = until_named(lab, server)
    assert "stratum 16" in said(found, "reasons", server.address), found


ALL = [
    suspended, paused, stepped_forward, stepped_back, set_far_off, restart_loop, powerless, second_master, constraints_off,
    network_down, unusable_reply,
]
