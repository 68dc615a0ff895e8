# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Times tasks over a real sshd on loopback. Every figure is a task's share of a playbook, without the playbook's own
start; styles take turns, and the best of all rounds counts, because what else runs here only ever adds time."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile
import time

from tests.delivery.conftest import TOP, free_port, inventory, wait_for_port

TASKS = int(sys.argv[1]) if len(sys.argv) > 1 else 30
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 4
FORKS, CROWD_TASKS = 25, 4

STYLES = {
    "raw": {"ansible.builtin.raw": "true"},
    "ours": {"apiary.bhyve.bhyve_image_info": {"store": "/nonexistent"}},
    "ping": {"ansible.builtin.ping": {}},
}


def playbook(folder, name, hosts, task, count):
    path = folder / (name + ".yml")
    tasks = [dict(task, name="task %d" % number) for number in range(count)]
    path.write_text(json.dumps([{"hosts": hosts, "gather_facts": False, "tasks": tasks}]))
    return path


def run(site, path, forks=5):
    """Seconds on the clock, and of processor time on the controller, for one playbook."""
    environment = dict(
        os.environ,
        HOME=str(site / "controller"),
        ANSIBLE_COLLECTIONS_PATH=str(site / "collections"),
        ANSIBLE_INVENTORY=str(site / "hosts.json"),
        ANSIBLE_SSH_CONTROL_PATH_DIR=str(site / "cp"),
        ANSIBLE_PIPELINING="true",
        ANSIBLE_FORKS=str(forks),
    )
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(
        ["ansible-playbook", path], cwd=site, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    took, after = time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, done.stdout + done.stderr
    return took, (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)


def measure(site, hosts, count, forks=5, styles=STYLES):
    """For each style, the cost of one task on one host: (seconds, seconds of processor time)."""
    best = {}
    plays = {"none": playbook(site, "none", hosts, STYLES["raw"], 1)}
    plays.update((name, playbook(site, name, hosts, styles[name], count + 1)) for name in styles)
    for path in plays.values():
        run(site, path, forks)
    for _round in range(ROUNDS):
        for name, path in plays.items():
            figures = run(site, path, forks)
            best[name] = tuple(map(min, figures, best.get(name, figures)))
    return {name: tuple((best[name][each] - best["none"][each]) / count for each in (0, 1)) for name in styles}


def build_site(folder, near, far):
    for name in ("target", "controller", "cp"):
        (folder / name).mkdir()
    for name in ("ssh", "sftp"):
        (folder / name).symlink_to("/usr/bin/" + name)
    collection = folder / "collections" / "ansible_collections" / "apiary" / "bhyve"
    collection.parent.mkdir(parents=True)
    collection.symlink_to(TOP)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / "target" / "id")], check=True)
    hosts = inventory(folder, near)
    targets = hosts["all"]["children"]["targets"]
    targets["vars"]["ansible_python_interpreter"] = "/usr/bin/python3"
    targets["vars"]["ansible_ssh_args"] = "-o ControlMaster=auto -o ControlPersist=120s"
    hosts["all"]["children"]["crowds"]["vars"] = targets["vars"]
    targets["hosts"]["distant"] = {"ansible_user": "plain", "ansible_port": far}
    (folder / "hosts.json").write_text(json.dumps(hosts))


@contextlib.contextmanager
def target():
    """A controller's folder with a target of this machine's own Python, near and 20 ms of round trip away."""
    # Short, because the control sockets are in it.
    folder = pathlib.Path(tempfile.mkdtemp(prefix="apiary-", dir="/tmp"))
    folder.chmod(0o755)
    near, far = free_port(), free_port()
    build_site(folder, near, far)
    processes = []
    with open(folder / "sshd.log", "wb") as log:
        words = [str(TOP / "tests/delivery/target.sh"), str(folder / "target"), str(near)]
        processes.append(subprocess.Popen(words, stderr=log, env=dict(os.environ, APIARY_TARGET_PYTHON="yes")))
    relay = [sys.executable, str(TOP / "tests/bench/delay_relay.py"), str(far), str(near), "10"]
    processes.append(subprocess.Popen(relay))
    try:
        wait_for_port(near, processes[0])
        wait_for_port(far, processes[1])
        yield folder
    finally:
        for path in (folder / "cp").iterdir():
            subprocess.run(["ssh", "-O", "exit", "-o", "ControlPath=%s" % path, "x"], capture_output=True, check=False)
        for process in processes:
            process.terminate()
            process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def judged(what, ratio, bar, at_most):
    good = ratio <= bar if at_most else ratio >= bar
    print("  %-46s %5.2f  (%s %.1f)%s" % (what, ratio, "at most" if at_most else "at least", bar, "" if good else "  MISSED"))
    return good


def table(title, figures, which):
    print("%s: " % title + ", ".join("%s %.1f ms" % (name, 1000 * figures[name][which]) for name in figures))


def main():
    good = []
    print("load %s; %d tasks, best of %d rounds" % (open("/proc/loadavg").read().split()[0], TASKS, ROUNDS))
    with target() as site:
        near = measure(site, "plain", TASKS)
        table("one host, per task", near, 0)
        good.append(judged("ours / raw", near["ours"][0] / near["raw"][0], 1.5, True))
        good.append(judged("ping / ours", near["ping"][0] / near["ours"][0], 4, False))
        far = measure(site, "distant", TASKS)
        table("20 ms of round trip more, per task", far, 0)
        good.append(judged("ping / ours", far["ping"][0] / far["ours"][0], 4, False))
        crowd = measure(site, "crowds", CROWD_TASKS, FORKS, {name: STYLES[name] for name in ("raw", "ours")})
        crowd = {name: (clock / 50, processor / 50) for name, (clock, processor) in crowd.items()}
        table("50 hosts, %d forks, processor per host and task" % FORKS, crowd, 1)
        good.append(judged("ours / raw", crowd["ours"][1] / crowd["raw"][1], 1.2, True))
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
