# SPDX-License-Identifier: GPL-3.0-or-later
"""What two hypervisors and their catalogue must have, told step by step; it knows nothing of how that is done."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass
class Disk:
    """A root disk is of an image, and boots what that boots; a data disk is of none. What is written on it, and what was when snapshots were taken."""

    image: str = ""
    boots: str = ""
    says: str = ""
    holds: str = ""
    snapshots: dict = dataclasses.field(default_factory=dict)

    def words(self, host):
        """In the words of in_machine/found.py."""
        clone = f"clone of {host}/images/demo-{self.image}@image" if self.image else ""
        content = [f"{verb} {what}" for verb, what in (("boots", self.boots), ("says", self.says), ("holds", self.holds)) if what]
        return ", ".join([word for word in ("volume", clone) if word] + content)


@dataclasses.dataclass
class Guest:
    """A guest on a host: what it runs with, what is defined, and its disks, the old ones with their host."""

    host: str
    root: Disk
    data: Disk
    uuid: str = ""
    defined: int = 32
    has: int = 32

    def words(self, name):
        """In the words of in_machine/found.py."""
        disks = [f"/dev/zvol/{self.host}/vm/{name}", f"/root/story/{self.host}/seeds/{name}.seed", f"/dev/zvol/{self.host}/vm/{name}:data"]
        return f"{self.uuid}, running, {self.has} MiB of {self.defined}, on {' and '.join(disks)}"

    def disks(self, name):
        """By the name of the volume."""
        return {f"{self.host}/vm/{name}": self.root, f"{self.host}/vm/{name}:data": self.data}


class Model:
    """All that must be there, and nothing else."""

    def __init__(self):
        # Disks by the version of the image that they are.
        self.catalogue, self.guests, self.seen = {}, {}, set()
        # By host: root disks that are kept, oldest first by whose they were, versions of golden volumes, and of images in the store.
        self.kept, self.golden, self.store = ({"hv1": default(), "hv2": default()} for default in (dict, set, set))

    # What happens.

    def publish(self, version):
        self.catalogue[version] = Disk(version, version)

    def capture(self, name, version):
        """The root disk of a guest is the newest image."""
        root = self.guests[name].root
        self.catalogue[version] = Disk(version, root.boots, root.says)

    def deploy(self, name, host):
        """Of the newest image, which the host has then."""
        self.guests[name] = Guest(host, self._newest(host), Disk())

    def _newest(self, host):
        newest = self.catalogue[max(self.catalogue)]
        self._has_image(host, newest.image)
        return dataclasses.replace(newest, snapshots={})

    def _has_image(self, host, version):
        self.seen.add(host)
        self.store[host].add(version)
        self.golden[host].add(version)

    def define(self, name, memory):
        self.guests[name].defined = memory

    def restart(self, name):
        self.guests[name].has = self.guests[name].defined

    def redeploy(self, name):
        guest = self.guests[name]
        self.kept[guest.host].setdefault(name, []).append(guest.root)
        guest.root = self._newest(guest.host)

    def redeploy_back(self, name):
        guest = self.guests[name]
        kept = self.kept[guest.host][name]
        guest.root, back = kept.pop(), guest.root
        kept.append(back)

    def write(self, name, root=None, data=None):
        """Something on its disks."""
        guest = self.guests[name]
        guest.root.says, guest.data.says = root or guest.root.says, data or guest.data.says

    def snapshot(self, name, called):
        for disk in (self.guests[name].root, self.guests[name].data):
            disk.snapshots[called] = disk.says

    def roll_back(self, name, called):
        for disk in (self.guests[name].root, self.guests[name].data):
            disk.says = disk.snapshots[called]

    def rename(self, name, new):
        guest = self.guests[new] = self.guests.pop(name)
        if name in self.kept[guest.host]:
            self.kept[guest.host][new] = self.kept[guest.host].pop(name)

    def move(self, name, host):
        """What is kept of it stays; its image has to be where it goes."""
        guest = self.guests[name]
        guest.host = host
        if guest.root.image not in self.golden[host]:
            self._has_image(host, guest.root.image)

    def prune(self, host, kept=()):
        """What is kept of these guests goes, and all versions but the newest that nobody has."""
        for name in kept:
            del self.kept[host][name]
        for versions in (self.golden[host], self.store[host]):
            if any(guest.host == host for guest in self.guests.values()):
                versions &= {max(versions)}
            else:
                versions.clear()
        self.golden[host] |= {disk.image for disk in self._roots(host)}

    def _roots(self, host):
        kept = [disk for disks in self.kept[host].values() for disk in disks]
        return kept + [guest.root for guest in self.guests.values() if guest.host == host]

    def remove(self, name):
        """With its data disk, and with what is kept of it where it is."""
        self.kept[self.guests.pop(name).host].pop(name, None)

    # What must be there.

    def expected(self):
        """In the words of in_machine/found.py."""
        found = {f"dataset {name}": words for name, words in self._datasets().items()}
        for name, guest in self.guests.items():
            found[f"domain {guest.host} {name}"] = guest.words(name)
            found[f"process {guest.host} {name}"] = ""
        return {**found, **{f"file {name}": "" for name in self._files()}}

    def _datasets(self):
        found = {}
        for host in self.golden:
            found.update({each: "filesystem" for each in (host, f"{host}/vm", f"{host}/images")})
            for version in self.golden[host]:
                found[f"{host}/images/demo-{version}"] = "volume"
                found[f"{host}/images/demo-{version}@image"] = "snapshot"
            for name, disks in self.kept[host].items():
                for number, disk in enumerate(disks, 1):
                    found.update(_volume(f"{host}/vm/{name}.old-{number}", disk, host))
        for name, guest in self.guests.items():
            for volume, disk in guest.disks(name).items():
                found.update(_volume(volume, disk, guest.host))
        return found

    def _files(self):
        seeds = [f"{guest.host}/seeds/{name}.seed" for name, guest in self.guests.items()]
        images = [f"{host}/store/demo-{version}.{kind}" for host, versions in self.store.items() for version in versions for kind in ("pkg", "json")]
        catalogues = [f"{host}/store/.seen.json" for host in self.seen]
        return seeds + images + catalogues + [f"catalogue/All/demo-{version}.pkg" for version in self.catalogue]


def _volume(name, disk, host):
    return {name: disk.words(host), **{f"{name}@{called}": "snapshot" for called in disk.snapshots}}


def differences(found, expected):
    """What is there and should not be, and the other way round, one line each."""
    one = [f"found    {key}: {found[key]}" for key in found if expected.get(key) != found[key]]
    return one + [f"expected {key}: {expected[key]}" for key in expected if found.get(key) != expected[key]]
