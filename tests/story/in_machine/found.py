# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in the machine: all that is there of the hypervisors hv1 and hv2 and of the catalogue, as JSON in the words of model.py.

found.py FOLDER
"""

import json
import os
import re
import subprocess
import sys
import zlib
from pathlib import Path

FOLDER = Path(sys.argv[1])
HOSTS = ("hv1", "hv2")
# What a verb leaves at a volume for as long as it is not over.
UNFINISHED = ("swap", "ran", "unfinished", "move")


def lines(*words):
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.splitlines()


def content(name):
    """Which image a volume boots, and what has been written on it; nothing of one that has no device."""
    try:
        with open("/dev/zvol/" + name, "rb") as disk:
            at_start = disk.read(1 << 20)[510:512]
            said = disk.read(64).partition(b"\0")[0].decode()
            disk.seek(4 << 20)
            holds = disk.read(10 << 20)
            disk.seek(-512, os.SEEK_END)
            banner = re.match(rb"apiary demo guest (\d+) is up", disk.read(512))
    except FileNotFoundError:
        return ["no device"]
    boots = ["boots " + banner[1].decode()] if banner and at_start == b"\x55\xaa" else []
    return boots + (["says " + said] if said else []) + (["holds %08x" % zlib.crc32(holds)] if holds.strip(b"\0") else [])


def datasets():
    marks = {}
    for line in lines("zfs", "get", "-Hp", "-s", "local,received", "-o", "name,property", "all", "-r", *HOSTS):
        name, key = line.split("\t")
        if key.startswith("apiary.bhyve:") and key.partition(":")[2] in UNFINISHED:
            marks.setdefault(name, []).append("marked " + key)
    found, kept = {}, {}
    for line in lines("zfs", "list", "-Hp", "-t", "all", "-o", "name,type,origin", "-r", *HOSTS):
        name, kind, origin = line.split("\t")
        words = ["clone of " + origin] if origin != "-" else []
        if kind == "volume" and "/vm/" in name:
            words += content(name)
        # When a disk was kept stands in its name: here they are counted.
        before, beside, moment = name.partition(".old-")
        if beside:
            of = kept.setdefault(before, [])
            of += [] if moment.partition("@")[0] in of else [moment.partition("@")[0]]
            name = "%s.old-%d%s" % (before, len(of), moment[moment.find("@"):] if "@" in moment else "")
        found[name] = ", ".join([kind, *words, *marks.get(name, ())])
    return found


def domains(host):
    virsh = ["virsh", "-q", "-c", "qemu+unix:///system?socket=%s/%s/run/libvirt-sock" % (FOLDER, host)]
    names = [name for name in lines(*virsh, "list --all --name") if name]
    told = "\n".join(lines(*virsh, "; ".join("dominfo %s; dumpxml --inactive %s" % (name, name) for name in names))) if names else ""
    found = {}
    for each in re.split(r"^(?=Id: )", told, flags=re.M)[1:]:
        name, state = re.search(r"^Name: +(.*)$", each, re.M)[1], re.search(r"^State: +(.*)$", each, re.M)[1]
        has = int(re.search(r"^Max memory: +(\d+) KiB", each, re.M)[1]) >> 10
        defined = int(re.search(r"<memory unit='KiB'>(\d+)<", each)[1]) >> 10
        disks = re.findall(r"<source (?:dev|file)='(.*?)'", each[each.rindex("<devices>"):])
        uuid = re.search(r"^UUID: +(.*)$", each, re.M)[1]
        found[name] = "%s, %s, %d MiB of %d, on %s" % (uuid, state, has, defined, " and ".join(disks))
    return found


def processes():
    """Guests that run, whatever libvirt knows of them: the host that each is of, and its name."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            guest = re.search(rb"\0-name\0guest=([^,\0]+)", (process / "cmdline").read_bytes())
            # Both daemons call their folders the same: which they are the mounts tell.
            mounts = (process / "mountinfo").read_text() if guest else ""
        except OSError:
            continue
        found += [(host, guest[1].decode()) for host in HOSTS if "%s/%s/" % (FOLDER, host) in mounts]
    return sorted(found)


def files():
    """Seeds, images in the stores and in the catalogue, and notes of renames."""
    folders = [*(FOLDER / host / kind for host in HOSTS for kind in ("seeds", "store")), FOLDER / "catalogue/All", Path("/var/db/apiary")]
    found = [file for folder in folders for file in folder.rglob("*") if file.is_file()]
    # What a store knows of a catalogue has a name that follows from the catalogue's.
    return [re.sub(r"/\.seen-\w+", "/.seen", str(file).replace("%s/" % FOLDER, "")) for file in found]


def everything():
    found = {"dataset " + name: words for name, words in datasets().items()}
    found.update({"domain %s %s" % (host, name): words for host in HOSTS for name, words in domains(host).items()})
    found.update({"process %s %s" % each: "" for each in processes()})
    return {**found, **{"file " + name: "" for name in files()}}


if __name__ == "__main__":
    print(json.dumps(everything()))
