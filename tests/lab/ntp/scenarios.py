# GPL-3.0-or-later
"""What can happen to a clock, and what ntpd_check must say about it."""

from lab import ADDRESSES

ERROR_POLL = 3000
D = ADDRESSES[3]


def expect(found, **wanted):
    """Compares keys of the check's answer, and shows all of it where they differ."""
    for key, value in wanted.items():
        assert found[key] == value, f"{key}: expected {value!r}, found {found[key]!r} in {found}"


def peer(found, address):
    return next(one for one in found["peers"] if one["peer"] == address)


def synced(lab):
    """A daemon that has just said so."""
    lab.start_daemon()
    found = {}

    def steers():
        found.update(lab.check())
        return found["clock"]["synced"] is True

    while not steers():
        assert lab.clock.now - lab.started < 3600e9, f"not synced within an hour: {found}"
        lab.run(minutes=2)
    return found


def until_blocked(lab, address, minutes=60):
    """A check every minute, until the daemon has met the bad reply."""
    for _ in range(minutes):
        lab.run(minutes=1)
        found = lab.check()
        if peer(found, address)["poll"] >= ERROR_POLL:
            return found
    raise AssertionError(f"{address} was not asked again within {minutes} minutes: {found}")


def healthy(lab, version):
    lab.start_daemon()
    lab.run(minutes=1)
    expect(lab.check(), verdict="starting", severity="ok")
    lab.run(minutes=30)
    found = lab.check("--probe")
    expect(found, verdict="ok", severity="ok", blocking_peers=[], falsetickers=[])
    assert abs(found["clock"]["clock_error"]) < 0.005, found["clock"]
    assert found["clock"]["error_source"] == "probes" and len(found["probes"]) == 4, found
    assert found["clock"]["adjusted_ago"] < 900, found["clock"]


def incident(lab, version):
    """The incident, its repair, and a second one within six hours."""
    servers = lab.world.servers
    servers[3].offset = 0.105
    expect(synced(lab), verdict="discordant", falsetickers=[D])
    lab.run(minutes=70)

    servers[3].mode = "alarm"
    found = until_blocked(lab, D)
    expect(found, verdict="blocked", severity="critical", blocking_peers=[D])  # a leap second is due
    assert abs(lab.clock.error) < 0.05, lab.clock.error
    found = lab.check("--repair")
    expect(found, verdict="blocked", restarted=False)
    refused = " ".join(found["repair"]["refused"])
    assert "the clock is still right" in refused, refused

    lab.run(minutes=(7200 - (lab.clock.now - lab.clock.start) / 1e9) / 60)
    lab.leap(1)
    lab.run(minutes=30)
    found = lab.check("--repair")
    expect(found, verdict="blocked", severity="critical", restarted=False)
    assert "a leap second is less than an hour away" in " ".join(found["repair"]["refused"]), found["repair"]
    assert 0.9 < abs(found["clock"]["clock_error"]) < 1.1, found["clock"]
    assert found["clock"]["synced"] is True and found["clock"]["valid_peers"] == 4, "the daemon itself says all is well"

    lab.run(minutes=40)
    would = lab.check("--repair", "--check")
    expect(would, verdict="blocked", restarted=False)
    assert would["repair"]["restart"] is True and not lab.restarts(), would["repair"]
    assert any("missed leap second" in reason for reason in would["reasons"]), would["reasons"]
    assert any("LI=3" in reason for reason in would["reasons"]), would["reasons"]
    before = abs(lab.clock.error + 1)  # the servers' time is one second behind
    expect(lab.check("--repair"), verdict="blocked", restarted=True)
    expect(lab.check("--repair"), restarted=False)
    assert len(lab.restarts()) == 1, lab.restarts()

    servers[3].mode, servers[3].offset = "normal", 0.0
    errors = [before]
    for _ in range(6):
        lab.run(minutes=15)
        found = lab.check("--repair")
        # 7.9 on Linux adjusts by what it misreads as the rest, and says synced and unsynced in turns meanwhile.
        harmless = ("starting", "slewing", "offset", "discordant", "unsynced", "ok")
        assert found["verdict"] in harmless and found["restarted"] is False, found
        errors.append(abs(lab.clock.error + 1))
    # Below 20 ms it is the noise of the network that is followed.
    shrinks = all(later < max(earlier, 0.02) for earlier, later in zip(errors, errors[1:]))
    assert shrinks and errors[-1] < 0.02, errors
    lab.run(minutes=30)
    found = lab.check()
    expect(found, verdict="ok", severity="ok", blocking_peers=[])
    assert found["restarts"][-1]["helped"] is True, found["restarts"]

    servers[2].mode = "alarm"
    until_blocked(lab, ADDRESSES[2])
    lab.run(minutes=20)  # its last good reply is still good for one adjustment
    lab.leap(0.4)
    lab.run(minutes=20)
    found = lab.check("--repair")
    expect(found, verdict="blocked", severity="critical", restarted=False, blocking_peers=[ADDRESSES[2]])
    assert len(found["repair"]["refused"]) == 1 and "the last restart was" in found["repair"]["refused"][0], found["repair"]
    assert len(lab.restarts()) == 1, lab.restarts()


def all_alarm(lab, version):
    synced(lab)
    lab.run(minutes=65)
    for server in lab.world.servers:
        server.mode = "alarm"
    for address in ADDRESSES:
        until_blocked(lab, address)
    lab.run(minutes=5)
    found = lab.check("--repair")
    expect(found, verdict="blocked", severity="critical", blocking_peers=ADDRESSES, restarted=False)
    assert any("only 0 servers answer" in rail for rail in found["repair"]["refused"]), found["repair"]


def kiss_of_death(lab, version):
    synced(lab)
    lab.world.servers[3].mode = "kiss"
    until_blocked(lab, D)
    found = lab.check("--probe")
    expect(found, verdict="blocked", blocking_peers=[D])
    assert "kiss of death RATE" in found["reasons"][0], found["reasons"]


def one_falseticker(lab, version):
    lab.world.servers[3].offset = 0.3
    synced(lab)
    lab.run(minutes=15)
    found = lab.check("--probe")
    expect(found, verdict="discordant", severity="warning", falsetickers=[D], blocking_peers=[])
    assert abs(found["clock"]["clock_error"]) < 0.05, found["clock"]


def two_falsetickers(lab, version):
    for server in lab.world.servers[2:]:
        server.offset = 0.3
    # The daemon flips between both halves. A reply that is on its way while it adjusts by -300 ms has a "negative
    # delay" for it, which blocks it for good: a rare event here, and a verdict of its own.
    for _ in range(6):
        lab.start_daemon()
        lab.run(minutes=40)
        found = lab.check("--repair")
        lab.kill_daemon()
        if found["verdict"] != "blocked":
            break
    expect(found, verdict="no_majority", restarted=False)
    assert found["severity"] in ("warning", "critical") and found["clock"]["majority"] is None, found


def silent_server(lab, version):
    synced(lab)
    lab.world.servers[3].mode = "silent"
    assert lab.run(minutes=60, until=lambda: not peer(lab.check(), D)["valid"] and lab.check()["verdict"] == "ok"), lab.check()
    found = lab.check()
    expect(found, verdict="ok", blocking_peers=[])
    assert found["clock"]["valid_peers"] == 3, found["clock"]


def refused_port(lab, version):
    """Up to 6.7 a closed port freezes the daemon, later ones drop the peer."""
    synced(lab)
    lab.world.servers[3].close()
    if version < (6, 8):
        found = until_blocked(lab, D)
        expect(lab.check("--probe"), verdict="blocked", blocking_peers=[D])
        assert "port 123 is closed" in lab.check("--probe")["reasons"][0], found
    else:
        lab.run(minutes=90)
        found = lab.check()
        expect(found, verdict="ok", blocking_peers=[])
        assert found["clock"]["valid_peers"] == 3, found["clock"]


def killed_daemon(lab, version):
    synced(lab)
    lab.kill_daemon()
    found = lab.check()
    expect(found, verdict="no_daemon", severity="critical")
    assert "Connection refused" in found["reasons"][0], found["reasons"]


def stopped_daemon(lab, version):
    synced(lab)
    lab.stop_daemon()
    found = lab.check("--time-limit", "2")
    expect(found, verdict="not_answering", severity="critical")
    assert "no answer within 2 s" in found["reasons"][0], found["reasons"]


ALL = [
    healthy, incident, all_alarm, kiss_of_death, one_falseticker, two_falsetickers, silent_server, refused_port,
    killed_daemon, stopped_daemon,
]
