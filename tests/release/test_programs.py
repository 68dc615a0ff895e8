# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every platform's programs, by what their ELF headers say; those of Linux are run, arm64 in an emulator."""

from __future__ import annotations

import json
import os
import pathlib
import platform
import re
import subprocess

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
TABLE = (TOP / "modules/apiary/src/programs.rs").read_text()
NAMES = sorted(set(re.findall(r'^    \("(\w+)", ', TABLE, re.M)))
MODULES = [name for name in NAMES if name != "bhyve_catalog_server"]
MACHINES = {"x86_64": "Advanced Micro Devices X86-64", "aarch64": "AArch64"}
PLATFORMS = ["freebsd-aarch64", "freebsd-x86_64", "linux-aarch64", "linux-x86_64"]
LOADERS = {"aarch64": "/lib/ld-linux-aarch64.so.1", "x86_64": "/lib64/ld-linux-x86-64.so.2"}
FREEBSD = [(system, "apiary") for system in PLATFORMS if system.startswith("freebsd")]
LINUX = [(system, "apiary") for system in PLATFORMS if system.startswith("linux")]
LIBVIRT = [(system, "apiary_libvirt") for system, _name in LINUX]
FILES = [*FREEBSD, *LINUX, *LIBVIRT]

# FreeBSD 14.0 is the oldest system with this version of its C library; glibc 2.28 is Debian 10's and RHEL 8's.
NEWEST_FBSD, NEWEST_GLIBC = (1, 7), (2, 28)


def readelf(system, name, *options):
    done = subprocess.run(
        ["readelf", "--wide", *options, TOP / "native" / system / name],
        capture_output=True,
        text=True,
        check=True,
        env=dict(os.environ, LC_ALL="C"),
    )
    return done.stdout


def interpreter(system, name):
    found = re.search(r"program interpreter: (.*)\]", readelf(system, name, "--program-headers"))
    return found and found.group(1)


def needed(system, name):
    return set(re.findall(r"\(NEEDED\).*\[(.*)\]", readelf(system, name, "--dynamic")))


def newest(system, name, library):
    found = re.findall(r"Name: %s_([0-9.]+)" % library, readelf(system, name, "--version-info"))
    return max((tuple(map(int, version.split("."))) for version in found), default=(0,))


@pytest.mark.parametrize("system", PLATFORMS)
def test_every_program_is_a_link_to_the_file_that_holds_it(system):
    folder = TOP / "native" / system
    apart = system.startswith("linux")
    links = {path.name: os.readlink(path) for path in folder.iterdir() if path.is_symlink()}
    assert links == {
        name: "apiary_libvirt" if apart and name.startswith("libvirt_") else "apiary" for name in NAMES
    }
    files = {path.name for path in folder.iterdir() if not path.is_symlink()}
    assert files == {name for each, name in FILES if each == system}


@pytest.mark.parametrize("system, name", FILES)
def test_header(system, name):
    header = readelf(system, name, "--file-header")
    kernel, machine = system.split("-")
    assert MACHINES[machine] in header
    if kernel == "freebsd":
        # By this note the kernel knows its own programs.
        assert re.search(r"FreeBSD +0x00000004\tNT_VERSION", readelf(system, name, "--notes"))
    assert ".symtab" not in readelf(system, name, "--sections")


@pytest.mark.parametrize("system, name", FREEBSD)
def test_freebsd_needs_nothing_but_the_base_system(system, name):
    assert interpreter(system, name) == "/libexec/ld-elf.so.1"
    assert needed(system, name) <= {"libc.so.7", "libthr.so.3", "libm.so.5", "libgcc_s.so.1"}
    assert (0,) < newest(system, name, "FBSD") <= NEWEST_FBSD


@pytest.mark.parametrize("system, name", LINUX)
def test_linux_is_static(system, name):
    assert (interpreter(system, name), needed(system, name)) == (None, set())


@pytest.mark.parametrize("system, name", LIBVIRT)
def test_linux_with_libvirt_runs_on_old_systems(system, name):
    assert interpreter(system, name) == LOADERS[system.partition("-")[2]]
    libraries = {re.sub(r"\.so.*", "", library) for library in needed(system, name)}
    assert libraries <= {"libc", "libm", "libdl", "libpthread", "librt", "ld-linux-x86-64", "ld-linux-aarch64"}
    assert (0,) < newest(system, name, "GLIBC") <= NEWEST_GLIBC


@pytest.mark.parametrize("system, name", FILES)
def test_no_path_of_the_builder_is_inside(system, name):
    contents = (TOP / "native" / system / name).read_bytes()
    for path in (TOP, pathlib.Path.home(), os.environ.get("CARGO_HOME", ""), os.environ.get("RUSTUP_HOME", "")):
        assert not path or str(path) == "/" or str(path).encode() + b"/" not in contents


@pytest.mark.parametrize("name", MODULES)
@pytest.mark.parametrize("machine", MACHINES)
def test_linux_programs_answer(machine, name):
    # The C library for programs that are not static is that of Debian's cross compilers.
    emulator = ["qemu-%s-static" % machine, "-L", "/usr/%s-linux-gnu" % machine]
    program = TOP / "native" / ("linux-" + machine) / name
    words = [*(emulator if machine != platform.machine() else []), program, "-"]
    done = subprocess.run(words, input=b'{"strange": 1}', capture_output=True, check=False)
    reply = json.loads(done.stdout)
    assert reply["failed"] and reply["msg"].startswith("reading option `strange`: unknown field"), reply
