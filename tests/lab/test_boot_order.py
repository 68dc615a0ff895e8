# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Guests that start with the host in their turn: what libvirt_domain keeps, and the boot script that reads it, on a real libvirt."""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import subprocess

import pytest

from patience import patience, wait_for

TOP = pathlib.Path(__file__).resolve().parents[2]
SCRIPT = TOP / "roles/hypervisor/files/apiary-guests"
INFO = {"name": "libvirt_domain_info"}
HERE = 'mkdir -p /usr/local/libexec; mount --bind "$1" /usr/local/libexec; shift; exec "$@"'


class Boot:
    """The host's script, and when its guests have started and stopped."""

    def __init__(self, lab, folder):
        self.lab, self.folder = lab, folder
        self.disk = folder / "obeys.raw"
        subprocess.run([TOP / "tests/demo/make-disk.sh", self.disk, "7", "16M", "obeys"], check=True)

    def guest(self, name, disk=None, **more):
        xml = self.lab.xml(name).replace(str(self.lab.disk), str(disk or self.disk))
        return self.lab.good({"name": name, "xml": xml, "state": "shutoff", "autostart": True, **more})

    def environment(self, **more):
        own = {"APIARY_GUESTS_URI": self.lab.uri, "APIARY_GUESTS_PIDFILE": str(self.folder / "start.pid")}
        return {**os.environ, **own, "APIARY_GUESTS_STOP_TIMEOUT": str(int(patience(60))), **more}

    def script(self, verb, code=0, **environment):
        done = subprocess.run(
            [SCRIPT, verb], capture_output=True, text=True, env=self.environment(**environment), stdin=subprocess.DEVNULL, timeout=patience(300)
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout, done.stderr

    def started(self, name):
        """When its emulator was."""
        (file,) = (self.lab.folder / "run").rglob(f"{name}.pid")
        return file.stat().st_mtime

    def stopped(self, name):
        """When it was off, as libvirt has logged it, and why."""
        (log,) = self.lab.folder.rglob(f"qemu/{name}.log")
        return re.findall(r"^(.*): shutting down, reason=(\w+)$", log.read_text(), re.M)[-1]

    def banners(self, *names):
        for name in names:
            wait_for(f"the kernel of {name}", lambda: self.lab.banner in self.lab.log(name).read_text())


@pytest.fixture
def boot(lab, tmp_path):
    libexec = tmp_path / "libexec"
    libexec.mkdir()
    shutil.copy(SCRIPT, libexec)
    lab.prefix = ("unshare", "-m" if os.geteuid() == 0 else "-rm", "sh", "-euc", HERE, "sh", str(libexec))
    yield Boot(lab, tmp_path)
    lab.prefix = ()


def mark(lab, name="web1"):
    return re.search(r"^Autostart: +(\w+)", lab.virsh("dominfo", name), re.M)[1]


def told(lab, name="web1"):
    (domain,) = lab.good({"name": name}, **INFO)["domains"]
    return domain["autostart"], domain["order"], domain["delay"]


def test_a_turn_is_kept_and_told(boot, lab):
    options = {"name": "web1", "xml": lab.xml(), "autostart": True, "order": 10, "delay": 30}
    done = lab.triad(options)
    assert "\nautostart: true, order 10, delay 30 s\n" in done["diff"]["after"]
    assert (told(lab), mark(lab)) == ((True, 10, 30), "disable")
    # Neither an order nor a delay concerns what runs.
    (domain,) = lab.good({"name": "web1"}, **INFO)["domains"]
    assert (domain["managed"]["edited"], domain["managed"]["restart_required"]) == (False, False)
    done = lab.triad({**options, "order": 11, "delay": None})
    assert (done["domain"]["restart_required"], told(lab)) == (False, (True, 11, 0))
    # Another definition, by somebody who says nothing of it, and the start and stop of what it is.
    lab.triad({"name": "web1", "xml": lab.xml(memory=48), "restart": "if_changed", "force": True, "shutdown_timeout": 0})
    assert told(lab) == (True, 11, 0)
    lab.triad({"name": "web1", "state": "shutoff", "force": True, "shutdown_timeout": 0})
    assert (told(lab), mark(lab)) == ((True, 11, 0), "disable")
    # A mark that somebody sets would start it at once.
    lab.virsh("autostart", "web1")
    lab.triad({**options, "state": "present", "xml": lab.xml(memory=48)})
    assert (told(lab), mark(lab)) == ((True, 10, 30), "disable")
    lab.triad({"name": "web1", "state": "present", "autostart": True})
    assert (told(lab), mark(lab)) == ((True, None, None), "enable")
    lab.triad({**options, "state": "present", "xml": None})
    lab.triad({"name": "web1", "state": "present", "autostart": False})
    assert (told(lab), mark(lab)) == ((False, None, None), "disable")


def test_a_host_that_nobody_has_prepared_is_no_silent_one(boot, lab):
    options = {"name": "web1", "xml": lab.xml(), "state": "present", "autostart": True, "order": 1}
    lab.good(options)
    lab.prefix = ()
    if pathlib.Path("/usr/local/libexec/apiary-guests").exists():
        pytest.skip("this machine has the script itself")
    missing = "missing: boot script /usr/local/libexec/apiary-guests, which starts guests with `order` or `delay` (the playbook apiary.bhyve.hypervisor installs it)"
    assert lab.refused(options).endswith(missing)
    (warning,) = lab.good({**options, "_ansible_check_mode": True})["warnings"]
    assert "needs what is not there yet: boot script" in warning
    # It is known, and told, that it would not start.
    assert told(lab) == (False, 1, 0)
    assert lab.good({"name": "web1", "state": "present"})["changed"] is False


def test_guests_start_in_their_turn_and_stop_in_reverse(boot, lab):
    boot.guest("last", delay=1)
    boot.guest("7", order=30)
    boot.guest("web-b", order=20)
    boot.guest("web-a", order=20)
    boot.guest("db.1", order=2, delay=3)
    gone = boot.folder / "gone.raw"
    shutil.copy(boot.disk, gone)
    boot.guest("broken", disk=gone, order=10, delay=600)
    gone.unlink()
    boot.guest("marked")
    turns = boot.script("list")[0].split("\n")
    assert [line.split("\t") for line in turns if line] == [
        ["2", "3", "shut off", "db.1"], ["10", "600", "shut off", "broken"], ["20", "0", "shut off", "web-a"],
        ["20", "0", "shut off", "web-b"], ["30", "0", "shut off", "7"], ["-", "1", "shut off", "last"],
    ]
    said, complained = boot.script("start", code=1)
    assert re.findall(r"started guest (\S+),", said) == ["db.1", "web-a", "web-b", "7", "last"]
    assert complained.startswith("starting guest broken: ") and "gone.raw" in complained
    order = ["db.1", "web-a", "web-b", "7", "last"]
    assert sorted(order, key=boot.started) == order and boot.started("web-a") - boot.started("db.1") >= 3
    assert (lab.state("broken"), lab.state("marked")) == ("shut off", "shut off")
    # What runs is left alone.
    assert boot.script("start", code=1)[0] == ""

    boot.banners(*order)
    said, complained = boot.script("stop")
    assert re.findall(r"asked guest (\S+) ", said) == ["last", "7", "web-b", "web-a", "db.1"] and complained == ""
    assert {boot.stopped(name)[1] for name in order} == {"shutdown"}
    when = {name: boot.stopped(name)[0] for name in order}
    assert when["last"] < when["7"] < min(when["web-a"], when["web-b"]) and max(when["web-a"], when["web-b"]) < when["db.1"]
    assert boot.script("stop") == ("", "")


def test_a_guest_that_does_not_obey_does_not_keep_the_host(boot, lab):
    boot.guest("db1", order=1)
    # Its kernel has halted, and hears no power button.
    boot.guest("web1", order=2, disk=lab.disk)
    boot.script("start")
    boot.banners("db1", "web1")
    said, complained = boot.script("stop", code=1, APIARY_GUESTS_STOP_TIMEOUT="2")
    assert re.findall(r"asked guest (\S+) ", said) == ["web1", "db1"]
    assert "guest web1 is not off after 2 s; it is left as it is\n" in complained and lab.state("web1") in ("running", "in shutdown")
    wait_for("db1, which was asked all the same, to be off", lambda: lab.state("db1") == "shut off")


def test_a_host_that_goes_down_while_it_comes_up(boot, lab):
    boot.guest("db1", order=1, delay=3600)
    boot.guest("web1", order=2)
    with subprocess.Popen([SCRIPT, "start"], env=boot.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as starting:
        assert "started guest db1" in starting.stdout.readline()
        boot.banners("db1")
        boot.script("stop")
        assert starting.wait(patience(30)) == 1
    assert (lab.state("db1"), lab.state("web1")) == ("shut off", "shut off") and not (boot.folder / "start.pid").exists()


def test_a_libvirt_that_does_not_answer_is_told(boot):
    nowhere = "qemu+unix:///system?socket=/nowhere/socket"
    said, complained = boot.script("stop", code=1, APIARY_GUESTS_URI=nowhere)
    assert said == "" and complained.startswith(f"listing the guests of {nowhere}: error: ")
    assert "expected whole seconds, found 1m; using 80\n" in boot.script("stop", code=1, APIARY_GUESTS_STOP_TIMEOUT="1m")[1]
    assert subprocess.run([SCRIPT], capture_output=True, text=True).stderr == "usage: apiary-guests start|stop|list\n"


# rc.subr(8) and daemon(8) are FreeBSD's: a stand-in that knows no more than what the script of rc.d uses.
RC_SUBR = """load_rc_config() { . "$RC_CONF"; }
run_rc_command() {
    eval "enabled=\\$$rcvar"
    [ "$enabled" = YES ] || { echo "not enabled: $name"; return 0; }
    eval "verb=\\$${1}_cmd"
    "$verb"
}
"""


@pytest.mark.parametrize("verb", ["start", "stop", "list"])
def test_the_script_of_rc(tmp_path, verb):
    (tmp_path / "rc.subr").write_text(RC_SUBR)
    program = tmp_path / "apiary-guests"
    program.write_text('#!/bin/sh\necho "$1 $APIARY_GUESTS_URI $APIARY_GUESTS_STOP_TIMEOUT $APIARY_GUESTS_LOG"\n')
    program.chmod(0o755)
    script = (TOP / "roles/hypervisor/files/apiary_guests").read_text()
    for theirs, ours in {"/etc/rc.subr": tmp_path / "rc.subr", "/usr/local/libexec/apiary-guests": program, "/usr/sbin/daemon -f ": ""}.items():
        assert theirs in script
        script = script.replace(theirs, str(ours))
    for told, expected in {
        "": "not enabled: apiary_guests\n",
        "apiary_guests_enable=YES": f"{verb}  80 apiary_guests\n",
        "apiary_guests_enable=YES apiary_guests_uri=bhyve:///system apiary_guests_stop_timeout=200": f"{verb} bhyve:///system 200 apiary_guests\n",
    }.items():
        (tmp_path / "rc.conf").write_text(told.replace(" ", "\n") + "\n")
        done = subprocess.run(
            ["sh", "-c", script, "sh", verb], capture_output=True, text=True, env={**os.environ, "RC_CONF": str(tmp_path / "rc.conf")}
        )
        assert (done.stdout, done.stderr) == (expected, "")


def test_the_module_and_the_role_mean_one_file():
    rust = (TOP / "modules/libvirt_domain/src/turn.rs").read_text()
    role = (TOP / "roles/hypervisor/vars/main.yml").read_text()
    path = re.search(r'SCRIPT: &str = "(.*)"', rust)[1]
    assert f"hypervisor_boot_script: {path}\n" in role and path in (TOP / "roles/hypervisor/files/apiary_guests").read_text()
    namespace = re.search(r'TURN: &str = "(.*)"', rust)[1]
    assert f"space={namespace}\n" in SCRIPT.read_text()
