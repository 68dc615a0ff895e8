"""Killed at any moment: nothing half-made under a final name, and the same run again puts it right."""

from __future__ import annotations

import json
import random
import time

import pytest

CONTENT = "213de5278ceb4369a55895208beb26ad48af5fe711dbfeb04d0343a463bbca25"
GUID = "746768402527732875"

# In the guest: runs the module in a loop, each time on new names, and kills it, or the zfs it runs, after a random time. Then
# looks under the final names: every volume there must be complete. One line per kill that found something to kill.
KILLS = r"""
import json, random, subprocess, sys, time
count, place, seed = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
random.seed(seed)
src, guid, content = sys.argv[4:7]

def zfs(*words):
    return subprocess.run(["zfs", *words], capture_output=True, text=True).stdout

def options(number):
    one = {"src": src, "dataset": "%s/vm/web%d" % (place, number), "volsize": "32M"}
    return one if number % 2 else dict(one, golden=place + "/images", image="image%d" % number)

def module(number):
    return subprocess.Popen(["/root/zfs_receive", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

def whole():
    rows = [line.split("\t") for line in zfs("list", "-Hp", "-o", "name,guid,volsize,origin", "-t", "volume,snapshot", "-r", place).splitlines()]
    guids = {row[0]: row[1] for row in rows}
    for name, _, size, origin in rows:
        if "@" in name or "/.new-" in name:
            continue
        image = name + "@image" if origin == "-" else origin
        if guids.get(image) != guid:
            sys.exit("half-made: %s has no image" % name)

def once(number, delay=None, victim=None):
    process = module(number)
    process.stdin.write(json.dumps(options(number)))
    process.stdin.close()
    if delay is not None:
        time.sleep(delay)
        if process.poll() is None:
            if victim == "module":
                process.kill()
            else:
                subprocess.run(["pkill", "-KILL", "-x", "zfs", "-P", str(process.pid)])
    out = process.stdout.read()
    process.wait()
    return process.returncode, out

started = time.monotonic()
status, out = once(0)
if status:
    sys.exit("the run that is not killed fails: " + out)
length = time.monotonic() - started
hits = 0
for number in range(1, count + 1):
    status, out = once(number, random.uniform(0, length), random.choice(["module", "zfs"]))
    hits += status != 0
    whole()
    status, out = once(number)
    if status:
        sys.exit("the run after kill %d fails: %s" % (number, out))
    whole()
    left = [name for name in zfs("list", "-H", "-o", "name", "-r", place).splitlines() if "/.new-" in name]
    if left:
        sys.exit("left after the run that followed kill %d: %s" % (number, left))
    for name in (place + "/vm/web%d" % number, place + "/images/image%d" % number):
        subprocess.run(["zfs", "destroy", "-r", name], capture_output=True)
print(hits)
"""


def test_kill_at_fifty_random_moments(guest, place):
    seed = random.randrange(1 << 30)
    guest.call("cat > /root/kills.py", stdin=KILLS)
    limit, guest.limit = guest.limit, 7200
    try:
        hits = guest.sh(f"python3 /root/kills.py 50 {place.name} {seed} {place.src('lz4-plain')} {GUID} {CONTENT}")
    finally:
        guest.limit = limit
    assert int(hits) >= 20, f"seed {seed}: only {hits} of 50 kills met a running module"


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_power_cut_in_the_middle(guest, place, share):
    """QEMU is killed while the module receives; after boot and import the next run converges."""
    options = {"src": "/root/streams/off-Lec.zfs", "golden": place.images, "dataset": f"{place.vm}/web", "volsize": "32M"}
    started = time.monotonic()
    guest.module({**options, "dataset": f"{place.vm}/first", "image": "first"})
    length = time.monotonic() - started
    guest.sh("zpool sync tank")
    running = guest.start(f"echo {json.dumps(json.dumps(options))} | /root/zfs_receive -")
    time.sleep(length * share)
    guest.host("cut")
    running.wait(timeout=120)
    guest.host("boot")
    guest.install()
    guest.sh("zpool import -f -d /dev/vdb tank")
    for name in place.names():
        if "@" not in name and name.startswith((f"{place.images}/off-Lec", f"{place.vm}/web")):
            image = guest.sh(f"zfs list -H -o origin {name}").replace("-", f"{name}@image", 1) if "/images/" not in name else f"{name}@image"
            assert guest.sh(f"zfs get -Hp -o value guid {image}") == "14562386390291174668"
    done = guest.module(options)
    assert done.get("failed") is None, done
    assert guest.sh(f"head -c 16777216 {done['volume']['device']} | sha256sum").split()[0] == "01d91aa55cedb90c416a7aeb1039b59300d99584175834dc3e86b3b59c386989"
    assert not [name for name in place.names() if "/.new-" in name]
    assert guest.module(options)["changed"] is False
