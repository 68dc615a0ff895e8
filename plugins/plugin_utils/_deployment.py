# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One deployment of a host's guests: what each phase is asked for, and what has become of each guest."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ansible_collections.apiary.bhyve.plugins.plugin_utils import _disks
from ansible_collections.apiary.bhyve.plugins.plugin_utils._guest import role_templates
from ansible_collections.apiary.bhyve.plugins.plugin_utils._identity import identity_of, uuid_of
from ansible_collections.apiary.bhyve.plugins.plugin_utils._networks import seed_networks
from ansible_collections.apiary.bhyve.plugins.plugin_utils._size import size_in_bytes

# What an image's annotation `image_os` begins with, where cloud-init writes the seed's contents into place.
LINUX = (
    "almalinux", "alpine", "amazon", "arch", "centos", "debian", "fedora", "gentoo", "linux", "opensuse", "oracle", "rhel",
    "rocky", "sles", "suse", "ubuntu", "void",
)

# Which of the role's bhyve templates boots an image with this annotation `image_loader`; other templates are their owner's.
BHYVE_TEMPLATES = {"uefi": "uefi", "bhyveload": "loader", "grub": "loader", "grub-bhyve": "loader"}

# In this order; a guest that has failed in one is left out of those that follow.
PHASES = ("images", "volumes", "seeds", "domains")


_ELSEWHERE = (
    "it still runs on %s, whose bhyve_guests has it no more: expected it to run on one host only; `ansible-playbook -i INVENTORY "
    "apiary.bhyve.move -e guest_names=%s` brings it here with its disks, or remove it there first, with --limit and -e bhyve_remove"
)
_SILENT = "it is not known whether one of these guests still runs on %s, which did not answer"
_RENAMED = (
    "it is still called %s on this host: `ansible-playbook -i INVENTORY apiary.bhyve.rename -e guest_names=%s -e guest_new_name=%s` brings the "
    "host to the new name first"
)
_NO_FAMILY = "the os of image %s is %s, which does not say who reads a seed: write `family` into the guest's seed"


def named(names):
    """Names of guests as a list, each once, also where they come from the command line as one text with commas or blanks."""
    names = re.split(r"[,\s]+", names) if isinstance(names, str) else names if isinstance(names, (list, tuple, set, Mapping)) else [names]
    return list(dict.fromkeys(str(name).strip() for name in names if str(name).strip()))


def ours(found):
    """The domains that this collection has made, by name, of what libvirt_domain_info has returned."""
    return {domain["name"]: domain for domain in (found or {}).get("domains", []) if domain.get("managed") is not None}


def seed_family(image_os):
    """Who reads the seed of a guest with an image of this system: freebsd, linux, or None where that is not known."""
    system = str(image_os or "").lower()
    if system.startswith("freebsd"):
        return "freebsd"
    return "linux" if system.startswith(LINUX) else None


def volume_options(place, name):
    """Where a guest has its volume, as the option of the modules that make and remove it."""
    if place["folder"]:
        return {"path": "%s/%s.raw" % (place["folder"], name)}
    return {"dataset": "%s/%s" % (place["dataset"], name)}


def seed_path(place, name):
    """Where a guest has its seed."""
    return "%s/%s.seed" % (place["seeds"], name)


class Deployment:
    """`told` holds the `names` of the guests, the `definitions` of all of this host, their `faults`, the `place` of their volumes and
    seeds, the `domains_found`, the guests that run `elsewhere`, hosts outside the play that were `silent` when they were asked for such,
    and what each of its `phases` has returned so far."""

    phases = PHASES

    def __init__(self, told):
        self.place, self.elsewhere, self.silent = told["place"], told.get("elsewhere") or {}, told.get("silent") or []
        definitions = told["definitions"]
        self.definitions = {str(name): guest for name, guest in definitions.items()} if isinstance(definitions, Mapping) else {}
        self.names = named(told["names"])
        # Names that were typed for several hosts are those of one.
        self.guests = {name: guest for name, guest in self.definitions.items() if name in self.names}
        # In one line each; of the whole dictionary under an empty name.
        self.faults = {str(name): "; ".join(faults) for name, faults in (told.get("faults") or {}).items()}
        self.found = ours(told.get("domains_found"))
        self.returned = {phase: told.get(phase) or {} for phase in self.phases}
        self.answers = {phase: returned.get("guests") or {} for phase, returned in self.returned.items()}

    def options(self, phase):
        """What the module of a phase is asked for, by guest: those that have not failed before, and have something to do in it."""
        failed = self.failures(self.before(phase))
        asked = {name: getattr(self, "_%s" % phase)(name, guest) for name, guest in self.guests.items() if name not in failed}
        asked = {name: options for name, options in asked.items() if options is not None}
        # In the same call, so that they cost no exchange more.
        return {**asked, **self._data_volumes(asked)} if phase == "volumes" else asked

    def before(self, phase):
        """The phases before this one."""
        return self.phases[:self.phases.index(phase)]

    def _data_volumes(self, names):
        """What zfs_receive is asked for the data disks of these guests."""
        asked = {}
        for name in names:
            for disk, said in _disks.disks_of(self.guests[name]).items():
                if said.get("size"):
                    key = _disks.key(name, disk)
                    # Files have no properties.
                    properties = {} if self.place["folder"] else {"properties": said.get("properties")}
                    options = {"blank": True, "volsize": said["size"], **properties}
                    asked[key] = dict(self._volume(key), **{option: value for option, value in options.items() if value})
        return asked

    def _disk_answers(self, name):
        """What has become of each data disk of a guest."""
        return {disk: self.answers["volumes"].get(_disks.key(name, disk), {}) for disk in _disks.disks_of(self.guests[name])}

    def drafts(self):
        """What templates of one's own are given before anything has been made; the role's are known to be sound."""
        return {
            name: self._domains(name, guest) for name, guest in self.guests.items()
            if name not in self.faults and self._template(guest) not in role_templates()
        }

    def _template(self, guest):
        return guest.get("template") or self.place["template"]

    def failures(self, phases=None):
        """Why guests have failed in these phases, or in any, by name, the first reason of each."""
        phases = self.phases if phases is None else phases
        return {name: reason for name in self.guests for reason in [next(self._reasons(name, phases), None)] if reason}

    def _fate_unknown(self, phase):
        """Whether a whole task has failed, so that nobody knows what has become of its guests."""
        returned = self.returned[phase]
        return bool(returned) and "guests" not in returned and not returned.get("skipped")

    def _reasons(self, name, phases):
        if name in self.faults:
            yield self.faults[name]
        if name in self.elsewhere:
            yield _ELSEWHERE % (self.elsewhere[name], name)
        yield from self._yet_to_rename(name)
        for phase in phases:
            answer = self.answers[phase].get(name, {})
            if answer.get("failed"):
                yield answer.get("msg") or "no reason given"
            if phase == "volumes":
                for disk, answer in self._disk_answers(name).items():
                    if answer.get("failed"):
                        yield "disk %s: %s" % (disk, answer.get("msg") or "no reason given")
            if phase == "images":
                yield from self._unmet_needs(name)

    def _yet_to_rename(self, name):
        """A guest that still has its old name here would get a second, empty disk."""
        identity = uuid_of(identity_of(name, self.guests[name]))
        yield from (_RENAMED % (other, other, name) for other, domain in self.found.items() if other != name and domain.get("uuid") == identity)

    def image(self, name):
        """What is known of a guest's image."""
        return self.answers["images"].get(name, {}).get("image") or {}

    def _images(self, name, guest):
        return dict(self._volume(name), name=guest["image"])

    def _volumes(self, name, guest):
        image = self.image(name)
        wanted = {
            "src": image.get("path"), "guid": image.get("guid"),
            # What the signed catalogue names is what is received; a check before the first fetch may not know the sum.
            "sha256": image.get("sha256"),
            "golden": None if self.place["folder"] else self.place["golden"],
            "volsize": guest.get("disk"),
        }
        return dict(self._volume(name), **{option: value for option, value in wanted.items() if value})

    def _volume(self, name):
        return volume_options(self.place, name)

    def _file(self, name):
        """What a volume is called where it lies."""
        return "%s.raw" % name if self.place["folder"] else name

    def _device(self, name):
        """What a guest has as its disk."""
        place = self._volume(name)
        return place.get("path") or "/dev/zvol/%s" % place["dataset"]

    def _seeds(self, name, guest):
        seed = guest.get("seed")
        if seed is None:
            return None
        family = seed.get("family") or seed_family(self.image(name).get("os"))
        if family is None and self.image(name).get("size") is None:
            # An image that is known no more does not say who reads the seed: it stays as the guest has it.
            return None
        # The interface is found by the address that the domain gives it.
        mac = {"mac": guest["mac"]} if "mac" in guest and "network_config" not in seed else {}
        known = {**({"family": family} if family else {}), **({"identity": guest["identity"]} if guest.get("identity") else {})}
        return {**mac, **seed, **seed_networks(guest), **known, "path": self.seed_path(name)}

    def seed_path(self, name):
        return seed_path(self.place, name)

    def _domains(self, name, guest):
        """What a template is given."""
        return {
            "guest": dict(guest, name=name),
            "guest_disk": self.answers["volumes"].get(name, {}).get("volume", {}).get("device") or "",
            "guest_disks": _disks.attached(guest, {
                disk: answer.get("volume", {}).get("device") for disk, answer in self._disk_answers(name).items()
            }),
            "guest_seed": "" if guest.get("seed") is None else self.seed_path(name),
        }

    def _unmet_needs(self, name):
        """What a guest's image needs and does not get."""
        guest, image = self.guests[name], self.image(name)
        needed, given = image.get("min_memory") or 0, size_in_bytes(guest.get("memory", 0))
        if given < needed:
            yield "image %s needs %d bytes of memory, found memory: %s" % (guest["image"], needed, guest["memory"])
        loader, chosen = image.get("loader"), self._template(guest)
        fitting = BHYVE_TEMPLATES.get(loader, chosen)
        if chosen in BHYVE_TEMPLATES.values() and chosen != fitting:
            yield "image %s is booted by %s, found template: %s, expected %s" % (guest["image"], loader, chosen, fitting)
        seed, system = guest.get("seed"), image.get("os")
        if seed is not None and not seed.get("family") and system and not seed_family(system):
            yield _NO_FAMILY % (guest["image"], system)

    def table(self):
        """One line a guest: state, image, volume, seconds per phase, and what a person should know; below, the total."""
        failed = self.failures()
        if not self.guests and not self.unnamed() and not self.silent:
            return []
        rows = [["guest", "state", "image", "volume", "fetch", "receive", "seed", "domain", "wait", "changed", "note"]]
        for name in self.guests:
            answers = [self.answers[phase].get(name, {}) for phase in PHASES]
            image, (dummy, volume, dummy, domain) = self.image(name), answers
            rows.append([
                name,
                "failed" if name in failed else domain.get("domain", {}).get("state", "-"),
                "-".join(str(image.get(key) or "?") for key in ("name", "version")) if image else "-",
                volume.get("volume", {}).get("device") or "-",
                *("%.2f" % second for second in self._seconds(name)),
                "yes" if any(answer.get("changed") for answer in [*answers[1:], *self._disk_answers(name).values()]) else "no",
                self._note(name),
            ])
        lines = aligned(rows + [self._unnamed(domain) for domain in self.unnamed()])
        # Guests are worked on side by side: this is less than the sum of theirs.
        total, wall = (sum(seconds_of(returned, phase) for returned in self.returned.values()) for phase in ("total", "wall"))
        lines += [_SILENT % ", ".join(self.silent)] if self.silent else []
        return lines + ["%.2f seconds on the host for %s, %.2f seen from the controller" % (total, counted(len(self.guests)), wall)]

    def unnamed(self):
        """Domains that were made by this collection, and that the host's dictionary does not name."""
        return [domain for name, domain in self.found.items() if name not in self.definitions]

    @staticmethod
    def _unnamed(domain):
        return [domain["name"], domain["state"], *["-"] * 8, "in no bhyve_guests of this host"]

    def _seconds(self, name):
        """Of each phase, the last one apart from its waiting."""
        answers = [self.answers[phase].get(name, {}) for phase in PHASES]
        seconds = [seconds_of(answer, "total") for answer in answers]
        waited = seconds_of(answers[-1], "wait")
        return [*seconds[:-1], seconds[-1] - waited, waited]

    def _note(self, name):
        newer = self.answers["images"].get(name, {}).get("newer")
        due = self.answers["domains"].get(name, {}).get("domain", {}).get("restart_required")
        redeploy = self.answers["seeds"].get(name, {}).get("redeploy_required")
        notes = ["newer: %s" % newer if newer else "", "restart due" if due else "", "seed for the next redeploy" if redeploy else ""]
        return ", ".join(note for note in notes if note)


def seconds_of(answer, phase):
    """Seconds that a phase within an answer took."""
    return (answer.get("timings") or {}).get(phase, {}).get("seconds", 0.0)


def counted(number):
    """So many guests, in words."""
    return "%d %s" % (number, "guest" if number == 1 else "guests")


def aligned(rows):
    """Rows of words as lines with aligned columns."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(word.ljust(width) for word, width in zip(row, widths)).rstrip() for row in rows]
