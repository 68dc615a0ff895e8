# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every platform's programs, by what their ELF headers say; those that can be run here are run."""

from __future__ import annotations

import json
import os
import pathlib
import platform
import re
import subprocess

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
MAINS = {path.parents[1].name: path.read_text() for path in TOP.glob("modules/*/src/main.rs")}
NAMES = sorted(MAINS)
MODULES = [name for name in NAMES if "ansible_module::run" in MAINS[name]]
MACHINES = {"x86_64": "Advanced Micro Devices X86-64", "aarch64": "AArch64"}
PLATFORMS = ["freebsd-aarch64", "freebsd-x86_64", "linux-aarch64", "linux-x86_64"]
LOADERS = {"aarch64": "/lib/ld-linux-aarch64.so.1", "x86_64": "/lib64/ld-linux-x86-64.so.2"}
ALL = [(platform, name) for platform in PLATFORMS for name in NAMES]

# FreeBSD 14.0 is the oldest system with this version of its C library; glibc 2.28 is Debian 10's and RHEL 8's.
NEWEST_FBSD, NEWEST_GLIBC = (1, 7), (2, 28)


def readelf(platform, name, *options):
    done = subprocess.run(
        ["readelf", "--wide", *options, TOP / "native" / platform / name],
        capture_output=True,
        text=True,
        check=True,
        env=dict(os.environ, LC_ALL="C"),
    )
    return done.stdout


def interpreter(platform, name):
    found = re.search(r"program interpreter: (.*)\]", readelf(platform, name, "--program-headers"))
    return found and found.group(1)


def needed(platform, name):
    return set(re.findall(r"\(NEEDED\).*\[(.*)\]", readelf(platform, name, "--dynamic")))


def newest(platform, name, library):
    found = re.findall(r"Name: %s_([0-9.]+)" % library, readelf(platform, name, "--version-info"))
    return max((tuple(map(int, version.split("."))) for version in found), default=(0,))


@pytest.mark.parametrize("platform, name", ALL)
def test_header(platform, name):
    header = readelf(platform, name, "--file-header")
    system, machine = platform.split("-")
    assert MACHINES[machine] in header
    if system == "freebsd":
        # By this note the kernel knows its own programs.
        assert re.search(r"FreeBSD +0x00000004\tNT_VERSION", readelf(platform, name, "--notes"))
    assert ".symtab" not in readelf(platform, name, "--sections")


@pytest.mark.parametrize("platform, name", [pair for pair in ALL if pair[0].startswith("freebsd")])
def test_freebsd_needs_nothing_but_the_base_system(platform, name):
    assert interpreter(platform, name) == "/libexec/ld-elf.so.1"
    assert needed(platform, name) <= {"libc.so.7", "libthr.so.3", "libm.so.5", "libgcc_s.so.1"}
    assert (0,) < newest(platform, name, "FBSD") <= NEWEST_FBSD


@pytest.mark.parametrize("platform, name", [pair for pair in ALL if pair[0].startswith("linux")])
def test_linux_is_static_but_for_libvirt(platform, name):
    if not name.startswith("libvirt_"):
        assert (interpreter(platform, name), needed(platform, name)) == (None, set())
        return
    assert interpreter(platform, name) == LOADERS[platform.partition("-")[2]]
    libraries = {re.sub(r"\.so.*", "", library) for library in needed(platform, name)}
    assert libraries <= {"libc", "libm", "libdl", "libpthread", "librt", "ld-linux-x86-64", "ld-linux-aarch64"}
    assert (0,) < newest(platform, name, "GLIBC") <= NEWEST_GLIBC


@pytest.mark.parametrize("platform, name", ALL)
def test_no_path_of_the_builder_is_inside(platform, name):
    contents = (TOP / "native" / platform / name).read_bytes()
    for path in (TOP, pathlib.Path.home(), os.environ.get("CARGO_HOME", ""), os.environ.get("RUSTUP_HOME", "")):
        assert not path or str(path) == "/" or str(path).encode() + b"/" not in contents


@pytest.mark.parametrize("machine, name", [(machine, name) for machine in MACHINES for name in MODULES])
def test_linux_programs_answer(machine, name):
    program = TOP / "native" / ("linux-" + machine) / name
    emulator = [] if machine == platform.machine() else ["qemu-%s-static" % machine]
    if emulator and interpreter("linux-" + machine, name):
        # Its loader and C library are not here: only that it asks for them can be seen, and is, above.
        return
    done = subprocess.run([*emulator, program, "-"], input=b'{"strange": 1}', capture_output=True, check=False)
    reply = json.loads(done.stdout)
    assert reply["failed"] and reply["msg"].startswith("reading option `strange`: unknown field"), reply
