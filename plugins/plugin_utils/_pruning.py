# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has been left on a host: what goes, what stays and why. Whoever is in a dictionary or a domain is not looked at."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ansible.errors import AnsibleError
from ansible_collections.apiary.bhyve.plugins.plugin_utils import _disks
from ansible_collections.apiary.bhyve.plugins.plugin_utils._deployment import aligned, named
from jinja2.exceptions import TemplateError

# In this order: clones before what they are clones of.
PHASES = ("volumes", "golden", "seeds", "images")

_UNREADABLE = "the bhyve_guests of %s cannot be read, and may name it"
_NAME_IT = "-e guest_prune_names=%s removes it"
_UNFINISHED = "kept until %s, but a redeploy of its guest is not over: call it again"


class Pruning:
    """`told` holds the `place` of volumes and seeds, the `definitions` of this host, what is known of the `inventory`, the
    `domains_found`, what was found as `volumes_found`, `golden_found` and `images_found`, the `names` of what goes in any case, whether
    `orphans` go, whether this is a `check` only, and what the phases have returned."""

    def __init__(self, told):
        self.place, self.check, self.orphans = told["place"], bool(told.get("check")), bool(told.get("orphans"))
        definitions = told.get("definitions")
        self.definitions = definitions if isinstance(definitions, Mapping) else {}
        self.inventory = told.get("inventory") or {}
        self.names = set(named(told.get("names") or []))
        self.domains = (told.get("domains_found") or {}).get("domains") or []
        self.found = {kind: (told.get("%s_found" % kind) or {}).get("volumes") or [] for kind in ("volumes", "golden")}
        self.store = (told.get("images_found") or {}).get("store") or []
        self.returned = {phase: (told.get(phase) or {}).get("guests") or {} for phase in PHASES}
        self.rows = [*map(self._volume, self.found["volumes"])]
        # A golden volume whose last clone goes is free.
        going = {_whole(row["what"]) for row in self.rows if row and row["goes"]}
        self.rows += [self._golden(golden, going) for golden in self.found["golden"]] + [*map(self._image, self.store)]
        self.rows = [row for row in self.rows if row]

    def options(self, phase):
        """What the module that removes them is asked for."""
        going = [row for row in self.rows if row["goes"]]
        if phase == "seeds":
            # A volume that stays keeps its seed.
            stay = {key for key, answer in self.returned["volumes"].items() if answer.get("failed")}
            names = [row["guest"] for row in going if row.get("guest") and _whole(row["what"]) not in stay]
            return {name: {"path": "%s/%s.seed" % (self.place["seeds"], name)} for name in names}
        if phase == "images":
            return [row["what"]["full"] for row in going if row["phase"] == "images"]
        if phase == "golden" and self.check:
            # The clones that go before it are still there.
            going = [row for row in going if not row["what"].get("clones_now")]
        return {
            _whole(row["what"]): {"dataset": row["what"]["dataset"]} if row["what"].get("dataset") else {"path": row["what"]["path"]}
            for row in going if row["phase"] == phase
        }

    def unknown(self):
        """Names that nothing here has."""
        here = {name for kind in self.found.values() for each in kind for name in (each["name"], _whole(each))} | set(map(_full, self.store))
        return self.names - here

    def failures(self):
        """What could not be removed, one line each."""
        return ["%s: %s" % (name, answer.get("msg") or "no reason given")
                for answers in self.returned.values() for name, answer in answers.items() if answer.get("failed")]

    def table(self):
        """What goes and what stays, each with its size and the reason; below, how much that is."""
        going = [row for row in self.rows if row["goes"]]
        rows = [["", "size", "what", "why"]]
        sorted_rows = sorted(self.rows, key=lambda row: not row["goes"])
        rows += [["goes" if row["goes"] else "stays", _size(row["bytes"]), row["name"], row["why"]] for row in sorted_rows]
        done = "would go" if self.check else "to go"
        total = "%d %s, %s" % (len(going), done, _size(sum(row["bytes"] or 0 for row in going)))
        return (aligned(rows) if self.rows else []) + [total]

    # Each of these returns a row, or nothing where it is in use and nobody would think that it goes.

    def _volume(self, volume):
        whole, asked = _whole(volume), {volume["name"], _whole(volume)} & self.names
        if volume["part"] == "kept":
            why, goes = self._kept(volume, whole)
        elif volume["part"] == "staged":
            why, goes = self._staged(volume)
        elif volume["part"] == "arriving":
            why, goes = "a move of it to this host was cut; apiary.bhyve.move goes on with it, or " + _NAME_IT % whole, False
        elif self._is_used(volume):
            # Only whoever names it has to hear of it.
            return self._row("volumes", volume, "used: it is a guest's disk", False) if asked else None
        elif volume["guid"] is None or ":" in volume["name"]:
            why, goes = "a data disk that no guest has; " + _NAME_IT % whole, False
        else:
            why, goes = "of no guest and no domain", self.orphans
            if not goes:
                why += "; -e guest_prune_orphans=true removes it"
            if self.inventory.get("unreadable"):
                why, goes = _UNREADABLE % " and ".join(self.inventory["unreadable"]), False
        if asked:
            why, goes = "named", True
        row = self._row("volumes", volume, why, goes)
        if row["goes"] and volume["part"] == "own" and ":" not in volume["name"]:
            row["guest"] = self._guest(volume)
        return row

    def _kept(self, volume, whole):
        until = volume["keep_until"]
        if until is None:
            return "kept without a date; " + _NAME_IT % whole, False
        if volume["expired"] and self._may_come_back(volume):
            return _UNFINISHED % until[:10], False
        return "kept until %s" % until[:10], bool(volume["expired"])

    def _staged(self, volume):
        if volume.get("swap") and self._is_all_there_is(volume):
            return "made ready by a redeploy of its guest that is not over: call it again", False
        return "made ready by a redeploy that was not finished", self.orphans

    def _is_all_there_is(self, volume):
        """Whether a guest that somebody knows has no volume but those beside it."""
        own = any(each["name"] == volume["of"] for each in self.found["volumes"])
        return not own and self._guest(dict(volume, name=volume["of"])) in self._guests_known()

    def _may_come_back(self, volume):
        """Whether an exchange that was cut may have left this one as all that its guest has, or chosen it to be its disk again."""
        own = next((each for each in self.found["volumes"] if each["name"] == volume["of"]), {})
        return self._is_all_there_is(volume) or bool(own and (own.get("swap") or volume.get("swap")))

    def _golden(self, golden, going):
        clones = [clone for clone in golden["clones"] if clone not in going]
        asked = {golden["name"], _whole(golden)} & self.names
        if not asked and (clones or self._is_wanted(golden["name"], [each["name"] for each in self.found["golden"]])):
            return None
        why = "named" if asked else "a golden volume without clones that no guest names"
        return self._row("golden", dict(golden, clones=clones, clones_now=golden["clones"]), why, True)

    def _image(self, image):
        full = _full(image)
        asked = full in self.names
        if not asked and self._is_wanted(full, map(_full, self.store)):
            return None
        why = "named" if asked else "an image that no guest names"
        row = self._row("images", {"name": full, "full": full, "used": image.get("size")}, why, True)
        return dict(row, name="%s in the store" % full)

    def _row(self, phase, what, why, goes):
        """What holds something back counts more than any reason to remove it."""
        user = self._user(what)
        if goes and user:
            why, goes = "used by domain %s" % user, False
        elif goes and what.get("clones"):
            why, goes = "clones are made of it: %s" % ", ".join(what["clones"]), False
        elif goes and what.get("held"):
            why, goes = "held: see `zfs holds %s`" % what["held"][0], False
        return {"phase": phase, "what": what, "name": _whole(what), "bytes": what.get("used"), "why": why, "goes": goes}

    def _guest(self, volume):
        """Whose volume it is, a data disk's as well."""
        name = volume["name"].partition(":")[0]
        return name.removesuffix(".raw") if self.place["folder"] else name

    def _is_used(self, volume):
        guest, disk = self._guest(volume), volume["name"].removesuffix(".raw").partition(":")[2]
        if volume["device"] in self._attached():
            return True
        if not disk:
            return bool(guest in self._guests_known() or self._user(volume))
        # A data disk may outlive its mention; it goes by its name alone.
        has = self.definitions.get(guest)
        return bool(self._user(volume) or (isinstance(has, Mapping) and disk in (has.get("disks") or {})))

    def _attached(self):
        """Where volumes are that guests of this host attach as they are."""
        return {_disks.device(said) for guest in self.definitions.values() for said in _disks.disks_of(guest).values()}

    def _guests_known(self):
        named_there = map(str, [*(self.inventory.get("names") or []), *self.definitions])
        return {*named_there, *(domain["name"] for domain in self.domains)}

    def _user(self, what):
        """The domain that has it as a disk."""
        for domain in self.domains:
            if what.get("device") and what["device"] in [disk.get("source") for disk in domain.get("disks") or []]:
                return domain["name"]
        return None

    def _is_wanted(self, full, others):
        """Whether a guest of this host names it exactly, or by a base name that it is the newest of."""
        images = {str(guest.get("image")) for guest in self.definitions.values() if isinstance(guest, Mapping)}
        if full in images or self.inventory.get("unreadable"):
            return True
        others = list(others)
        for base in images:
            # Versions may have hyphens: what begins with the base may be of it.
            of_base = [other for other in others if other.startswith(base + "-")]
            if full in of_base and full == max(of_base, key=_natural):
                return True
        return False


def _whole(what):
    return what.get("dataset") or what.get("path") or what["name"]


def _full(image):
    return "%s-%s" % (image["name"], image["version"])


def _natural(name):
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]


def _size(count):
    if count is None:
        return "?"
    units = ["B", "K", "M", "G", "T", "P"]
    value = float(count)
    while value >= 1024 and len(units) > 1:
        value, units = value / 1024, units[1:]
    return "%d%s" % (value, units[0]) if units[0] == "B" or value >= 10 else "%.1f%s" % (value, units[0])


def guests_of_inventory(hostvars):
    """Names of the guests of all hosts, and the hosts whose dictionary cannot be read: they may have any."""
    names, unreadable = set(), []
    for host in hostvars:
        try:
            guests = hostvars[host].get("bhyve_guests", None)
            if guests is None or guests == "":
                continue
            if not isinstance(guests, Mapping):
                unreadable.append(host)
                continue
            names |= {str(name) for name in guests}
        except (AnsibleError, TemplateError):
            unreadable.append(host)
    return {"names": sorted(names), "unreadable": sorted(unreadable)}
