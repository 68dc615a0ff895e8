# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Data disks of a guest: their volumes, their places in the domain, and what is wrong with them whatever the others are."""

from __future__ import annotations

import posixpath
import re
import string
from collections.abc import Mapping

from ansible_collections.apiary.bhyve.plugins.plugin_utils._schema import disk_spec, faults, kind
from ansible_collections.apiary.bhyve.plugins.plugin_utils._size import disk_fault

_NAME = re.compile(r"[A-Za-z0-9_-]{1,32}")
# As modules/zfs_command/src/name.rs reads them; a pool alone is no volume.
_DATASET = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]*(/[A-Za-z0-9][A-Za-z0-9_.:-]*)+")
# Root disk, seed, interfaces and screen have to find a place on the guest's bus, too, which has 31.
MOST = 16
_KINDS = ("size", "path", "dataset")
# Of the disks that a domain has, and the one that it is expected to have.
OTHER_DISK = (
    "its domain has the disks %s, expected %s among them: merge what a snapshot or a block copy has put elsewhere first "
    "(virsh blockcommit --active --pivot)"
)
# Buses that a template of the role does not have.
_MISSING = {"qemu": ("nvme",)}


def key(guest, disk):
    """Name of a disk's volume, and what zfs_receive knows it by. No guest has a colon in its name."""
    return "%s:%s" % (guest, disk)


def disks_of(guest):
    """The data disks of a guest by name, as they stand in its dictionary."""
    disks = guest.get("disks") if isinstance(guest, Mapping) else None
    disks = disks if isinstance(disks, Mapping) else {}
    return {str(name): _said(disk) for name, disk in disks.items() if isinstance(disk, Mapping)}


def _said(disk):
    return {option: value for option, value in disk.items() if value is not None}


def device(disk):
    """Where an existing volume is; None of a disk that is ours to make."""
    if disk.get("dataset"):
        return "/dev/zvol/%s" % disk["dataset"]
    return posixpath.normpath(str(disk["path"])) if disk.get("path") else None


def attached(guest, devices):
    """What a template is told of each disk, in the order of the dictionary; DEVICES has those of volumes that are ours."""
    counted = {}
    return [_attached(name, disk, devices, counted) for name, disk in disks_of(guest).items()]


def _attached(name, disk, devices, counted):
    bus = disk.get("bus") or "virtio"
    nth = counted[bus] = counted.get(bus, 0) + 1
    # vda, sda and nvme0n1 are the root disk's, and vdb is the seed's, whether the guest has them or not.
    target = {
        "virtio": "vd%s" % string.ascii_lowercase[(nth + 1) % 26],
        "sata": "sd%s" % string.ascii_lowercase[nth % 26],
        "nvme": "nvme%dn1" % nth,
    }.get(bus, "")
    return {"name": name, "device": device(disk) or devices.get(name) or "", "bus": bus, "target": target}


def disk_faults(guest, template):
    """What is wrong with the data disks of a guest."""
    disks = guest.get("disks") or {}
    if len(disks) > MOST:
        yield "'disks' has %d disks, expected at most %d" % (len(disks), MOST)
    for name, disk in disks.items():
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            hint = "" if isinstance(name, str) else "; put it in quotes"
            yield "'disks' names a disk %r: expected 1 to 32 letters, digits, '_' or '-'%s" % (name, hint)
        elif not isinstance(disk, Mapping):
            yield "'disks.%s' must be a dictionary as in {size: 100G}, found %s" % (name, kind(disk))
        else:
            yield from _disk_faults("disks.%s" % name, _said(disk), template)
    yield from _twins(guest)


def _disk_faults(path, disk, template):
    found = list(faults(disk_spec(), disk, path + "."))
    yield from found
    given = [word for word in _KINDS if word in disk]
    if len(given) != 1 and not any(fault.startswith("unknown key") for fault in found):
        yield "'%s' must have exactly one of size, path and dataset, found %s" % (path, " and ".join(given) or "none")
    fault = disk_fault(disk["size"]) if "size" in disk else None
    if fault:
        yield "'%s.size' %s" % (path, fault)
    if "path" in disk and not (str(disk["path"]).startswith("/") and device({"path": disk["path"]}) != "/"):
        yield "'%s.path' must be the absolute path of a file or device, found %r" % (path, disk["path"])
    if "dataset" in disk and not _DATASET.fullmatch(str(disk["dataset"])):
        yield "'%s.dataset' must be the name of a volume as in zroot/old/data, found %r" % (path, disk["dataset"])
    if "properties" in disk and "size" not in disk:
        yield "'%s.properties' goes with size: an existing volume is attached as it is" % path
    if disk.get("bus") in _MISSING.get(template, ()):
        yield "'%s.bus' is %s, which template %s does not have" % (path, disk["bus"], template)


def _twins(guest):
    seen = {}
    for name, disk in disks_of(guest).items():
        where = device(disk)
        if where and where in seen:
            yield "'disks.%s' and 'disks.%s' are the same volume %s" % (seen[where], name, where)
        seen.setdefault(where, name)


def volumes(name, guest, place):
    """Paths of all that a guest uses: its root disk, its disks, and those that were there before; PLACE is that of the host."""
    folder, dataset = place
    named = [name, *(key(name, disk) for disk, said in disks_of(guest).items() if said.get("size"))]
    yield from (posixpath.normpath("%s/%s.raw" % (folder, volume)) if folder else "/dev/zvol/%s/%s" % (dataset, volume) for volume in named)
    yield from {device(said) for said in disks_of(guest).values()} - {None}
