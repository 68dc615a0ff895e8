# SPDX-License-Identifier: GPL-3.0-or-later
"""The guest role's templates, as libvirt's bhyve driver translates them: held against commands.txt, and against bhyve(8)."""

from __future__ import annotations

import os
import pathlib
import re
import shlex
import subprocess

import pytest

HERE = pathlib.Path(__file__).resolve().parent
LAB = HERE.parent / "lab"

# What bhyverun.c of FreeBSD 14 and 15 gives getopt(3), and the devices of its -s and -l that are ours to use.
ALONE, WITH_VALUE = "aehuwxACDHIPSWY", "kfopGcsmlKU"
DEVICES = {
    "hostbridge", "lpc", "ahci", "ahci-hd", "ahci-cd", "virtio-blk", "virtio-net", "e1000", "virtio-rnd", "virtio-9p", "nvme", "fbuf",
    "xhci",
}  # fmt: skip
SLOT = re.compile(r"(\d+(?::\d+){0,2}),([a-z0-9-]+)(?:,(.*))?")


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    """Each case's definition by its name."""
    folder, collections = (tmp_path_factory.mktemp(name) for name in ("domains", "collections"))
    link = collections / "ansible_collections/apiary/bhyve"
    link.parent.mkdir(parents=True)
    link.symlink_to(HERE.parents[1])
    words = ["ansible-playbook", "-i", "localhost,", str(LAB / "render.yml")]
    for name, value in {"folder": folder, "lab_disk": "/disk", "lab_log": "/log"}.items():
        words += ["-e", f"{name}={value}"]
    subprocess.run(words, check=True, capture_output=True, env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(collections)})
    texts = {path.stem: path.read_text() for path in sorted(folder.iterdir())}
    return {name: text for name, text in texts.items() if "<domain type='bhyve'>" in text}


@pytest.fixture(scope="module")
def commands(machine, rendered):
    """What the driver would run for each, or its reason why it cannot."""
    found = {}
    for name, text in rendered.items():
        path = machine.folder / "definition.xml"
        path.write_text(text)
        done = machine.inside("virsh", "-q", "-c", "bhyve:///system", "domxml-to-native", "bhyve-argv", path, check=False)
        # Where none is given, the module puts one in, and virsh a new one each time.
        found[name] = re.sub("mac=52:54:00(:..){3}", "mac=ANY", (done.stdout or done.stderr).strip())
    return found


def test_the_commands_are_the_known_ones(commands):
    text = "".join("== %s\n%s\n" % (name, found.replace(" -", "\n  -")) for name, found in commands.items())
    golden = HERE / "commands.txt"
    if os.environ.get("WRITE_COMMANDS"):
        golden.write_text(text)
    assert text == golden.read_text(), "WRITE_COMMANDS=1 writes the file anew"


def test_bhyve_takes_them(commands):
    """What getopt(3) and the parsers of slots and ports would say."""
    seen = 0
    for line in "\n".join(commands.values()).splitlines():
        program, *words = shlex.split(line)
        if program != "/usr/sbin/bhyve":
            continue
        seen, slots = seen + 1, []
        while len(words) > 1:
            option, letter = words.pop(0), ""
            assert option.startswith("-") and len(option) == 2, line
            letter = option[1]
            assert letter in ALONE + WITH_VALUE, line
            if letter not in WITH_VALUE:
                continue
            value = words.pop(0)
            if letter == "s":
                slot, device, _rest = SLOT.fullmatch(value).groups()
                assert device in DEVICES, line
                slots.append(slot)
            elif letter == "l":
                assert value.split(",")[0] in {"bootrom", "com1", "com2"}, line
        assert len(slots) == len(set(slots)) and words and not words[0].startswith("-"), line
    assert seen >= 4
