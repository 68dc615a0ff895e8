# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done only on bhyve, on a fake of its driver; state lives as long as one run, as in libvirt's test driver."""

from __future__ import annotations

import concurrent.futures
import json
import os
import pathlib
import platform
import pty
import re
import select
import subprocess
import tty

import pytest

from patience import patience, wait_for

HERE = pathlib.Path(__file__).resolve().parent
PROGRAM = HERE.parents[1] / ("native/%s-%s/libvirt_domain" % (platform.system().lower(), platform.machine()))


@pytest.fixture(scope="module")
def bhyve(tmp_path_factory):
    """Runs the program with the fake in the place where the loader looks first."""
    folder = tmp_path_factory.mktemp("bhyve")
    listed = subprocess.run(["/sbin/ldconfig", "-p"], check=True, capture_output=True, text=True).stdout
    library = re.search(r"libvirt\.so\.0 .*=> (/\S+)", listed).group(1)
    # A stub whose name is the real library's path makes the fake need that very file.
    stub = folder / "stub.so"
    subprocess.run(["cc", "-shared", f"-Wl,-soname,{library}", "-o", stub, "-xc", os.devnull], check=True)
    subprocess.run(
        ["cc", "-shared", "-fPIC", "-Wall", "-Wextra", "-Werror", f'-DREAL_LIBVIRT="{library}"', "-o",
         folder / "libvirt.so.0", HERE / "fake_bhyve.c", "-Wl,--no-as-needed", stub, "-ldl"],
        check=True,
    )

    def call(options, **environment):
        done = subprocess.run(
            [PROGRAM, "-"], input=json.dumps({"uri": "bhyve:///system", **options}), capture_output=True, text=True,
            env={**os.environ, "LD_LIBRARY_PATH": str(folder), **environment}, timeout=patience(300),
        )
        assert done.stderr == ""
        return json.loads(done.stdout)

    return call


def xml(devices=""):
    return (
        "<domain type='test'><name>web1</name><memory unit='MiB'>64</memory><os><type>hvm</type></os>"
        f"<devices>{devices}<interface type='user'/></devices></domain>"
    )


def test_check_mode_shows_the_commands_without_passwords(bhyve):
    graphics = "<graphics type='vnc' passwd='hunter2'/>"
    for check in (True, False):
        reply = bhyve({"name": "web1", "xml": xml(graphics), "_ansible_check_mode": check})
        assert reply["changed"] is True
        assert reply["bhyve_commands"] == "/usr/sbin/bhyve -c 1 -m 64 -s 2:0,fbuf,tcp=127.0.0.1:5900,password=******** web1"


def test_what_bhyve_cannot_run_is_refused_in_check_mode(bhyve):
    disk = "<disk type='block'><source dev='/dev/null'/><target dev='vda'/></disk>"
    reply = bhyve({"name": "web1", "xml": xml(disk), "_ansible_check_mode": True})
    assert reply["msg"] == (
        "translating the definition into bhyve's arguments: unsupported configuration: unsupported disk type"
    )


def test_a_driver_without_undefine_flags_and_a_deaf_guest(bhyve):
    reply = bhyve({"name": "test", "state": "absent", "force": True, "shutdown_timeout": 0.2})
    assert (reply["changed"], reply.get("msg")) == (True, None)
    assert set(reply["timings"]) >= {"stop", "undefine"}


def test_autostart_survives_a_driver_that_loses_it(bhyve, tmp_path):
    kept = tmp_path / "autostart"
    options = {"name": "test", "state": "shutoff", "force": True, "shutdown_timeout": 0}
    assert bhyve(options, FAKE_AUTOSTART=str(kept))["domain"]["autostart"] is True
    assert kept.read_text() == "1"


def test_the_console_is_the_null_modem(bhyve):
    """A pseudo-terminal stands for it; the guest talks when somebody listens."""
    master, slave = pty.openpty()
    tty.setraw(master)
    device = os.ttyname(slave)
    os.close(slave)
    hangs_up = select.poll()
    hangs_up.register(master, 0)
    serial = f"<serial type='nmdm'><source master='/dev/nmdm-web1.1A' slave='{device}'/></serial>"

    def talk():
        wait_for("the console to be opened", lambda: not hangs_up.poll(0))
        os.write(master, b"FreeBSD/amd64 (web1) (ttyu0)\r\n\r\nlogin: ")

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        talked = pool.submit(talk)
        reply = bhyve({"name": "web1", "xml": xml(serial), "wait_for": {"console": "login:", "timeout": patience(60)}})
        talked.result()
    assert (reply["changed"], reply.get("msg"), reply.get("warnings")) == (True, None, None)
    os.close(master)


def test_another_driver_is_not_there(bhyve):
    reply = bhyve({"name": "web1", "uri": "qemu:///system"})
    assert reply["msg"] == (
        "connecting to qemu:///system: no connection driver available; install this driver's daemon, or set the option "
        "`uri` to one that is there"
    )
