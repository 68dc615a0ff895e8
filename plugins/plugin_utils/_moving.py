# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Guests whose dictionary has gone from one host to another, and that follow it: what each step is asked for, and what has become of each."""

from __future__ import annotations

import contextlib

from ansible_collections.apiary.bhyve.plugins.plugin_utils import _disks
from ansible_collections.apiary.bhyve.plugins.plugin_utils._deployment import PHASES, Deployment, aligned, named, seed_path, seconds_of, volume_options
from ansible_collections.apiary.bhyve.plugins.plugin_utils._fleet import UNREADABLE, guests_of, place_of
from ansible_collections.apiary.bhyve.plugins.plugin_utils._moved import asked_hosts, domains_found
from ansible_collections.apiary.bhyve.plugins.plugin_utils._removal import data_disk, guest_of
from ansible_collections.apiary.bhyve.plugins.plugin_utils._size import size_in_bytes

# In this order; a guest that has failed in one is left out of those that follow. While the first ones are done, guests run.
STEPS = (
    "looked", "goldens", "fetched", "received", "copied", "images", "seeds", "noted", "stopped", "moved", "volumes", "domains", "given",
    "unseeded", "undefined",
)
# Those for which a guest is off.
_OFF_FOR = ("stopped", "volumes", "domains")

# As in the role's defaults, which other hosts' variables do not show.
_SEEDS = "/var/db/apiary/seeds"

_FOREIGN = "a domain of its name is on %s that this collection has not made: expected none, or one of ours; remove it or rename the guest"
_NOWHERE = "it is on no host that was asked: deploy it (apiary.bhyve.deploy)"
_SEVERAL = "it is on %s, none of which has it in its bhyve_guests: expected one; remove it from the others first, with --limit and -e bhyve_remove"
_KINDS = "%s has its volumes %s and %s has them %s: expected both with ZFS or both without"
_AS_FILES = {True: "as raw files", False: "on ZFS"}
_LOOK = "looking for its disks on %s: %s"
_NO_ROOT = "it has no disk %s on %s: expected one"
_OFF = "is off: %s; nothing of it is lost on %s; mend that and call this again, which goes on"
_BACK = (
    "%s runs on %s now. The way back: write it into the bhyve_guests of %s again, and `ansible-playbook -i INVENTORY apiary.bhyve.move "
    "-e guest_names=%s`"
)
_STILL = "it runs here, but not all of it is gone from %s: %s; call this again"


def guests_to_move(hostvars, hosts, names, asked=None):
    """Guests that are named and are, as domains of ours, on a host whose dictionary has them not: by the host that has them, and by name,
    what is known of where they are."""
    found = {host: domains_found(hostvars, host) for host in hosts}
    found.update(asked_hosts(asked))
    moving = {}
    for here in hosts:
        for name in (str(name) for name in guests_of(hostvars, here)):
            if names != "all" and name not in named(names):
                continue
            sources = [host for host, domains in found.items() if host != here and name in domains and name not in guests_of(hostvars, host)]
            if sources:
                place = source_place(hostvars, sources[0])
                moving.setdefault(here, {})[name] = {"hosts": sources, "domain": found[sources[0]][name], "place": place}
    return moving


def source_place(hostvars, host):
    """Where another host's guests have what is theirs."""
    folder, dataset = place_of(hostvars, host)
    variables = {}
    with contextlib.suppress(*UNREADABLE):
        known = hostvars[host]
        variables = {"seeds": known.get("guest_seed_folder"), "uri": known.get("guest_uri")}
    return {"folder": folder, "dataset": dataset, "seeds": variables.get("seeds") or _SEEDS, "uri": variables.get("uri") or ""}


class Moving(Deployment):
    """`told` holds what it holds of a deployment; what is `moving` here (see `guests_to_move`), whether this is a `check`, and what the steps
    have returned: those that are done on other hosts as a loop over their names has."""

    phases = STEPS

    def __init__(self, told):
        # That they still run elsewhere is what this mends.
        super().__init__(dict(told, elsewhere={}))
        self.moving, self.check = told.get("moving") or {}, bool(told.get("check"))
        if told["names"] == "all":
            self.guests = {name: guest for name, guest in self.definitions.items() if name in self.moving}
        self.there = {domain["name"]: domain for domain in (told.get("domains_found") or {}).get("domains") or []}
        self.answers = {step: _answers(returned) for step, returned in self.returned.items()}
        self.looks = {each["item"]: each for each in self.returned["looked"].get("results") or [] if "item" in each}

    def sources(self):
        """The hosts that guests come from."""
        return sorted({self._source(name) for name in self.guests if name in self.moving})

    def _source(self, name):
        return self.moving[name]["hosts"][0]

    def options(self, phase, source=None):
        """What the module of a step is asked for, by guest; of a step that is done for each source, those of that one."""
        failed = self.failures(self.before(phase))
        names = [name for name in self.guests if name in self.moving and name not in failed and source in (None, self._source(name))]
        asked = {}
        for name in names:
            options = getattr(self, "_%s" % phase)(name, self.guests[name])
            if options is not None:
                asked.update(options if phase in ("copied", "moved", "given") else {name: options})
        return {**asked, **self._data_volumes(asked)} if phase == "volumes" else asked

    def drafts(self):
        """What templates of one's own are given while the guests still run."""
        return {name: self._domains(name, guest) for name, guest in self.guests.items() if name in self.moving and name not in self.faults}

    # Why a guest cannot move.

    def _reasons(self, name, phases):
        if name in self.there and name not in self.found:
            yield _FOREIGN % "this host"
        if name not in self.moving:
            if name not in self.found:
                yield _NOWHERE
        elif name not in self.faults:
            yield from self._refusals(name)
        yield from super()._reasons(name, [phase for phase in phases if phase in PHASES])
        for step in phases:
            if step not in PHASES:
                yield from (answer.get("msg") or "no reason given" for answer in self._of(step, name) if answer.get("failed"))
            if _has_failed(self.returned[step]):
                yield self.returned[step].get("msg") or "no reason given"

    def _refusals(self, name):
        told = self.moving[name]
        if len(told["hosts"]) > 1:
            yield _SEVERAL % " and ".join(told["hosts"])
        ours, theirs = bool(self.place["folder"]), bool(told["place"]["folder"])
        if ours != theirs:
            yield _KINDS % (self._source(name), _AS_FILES[theirs], "this host", _AS_FILES[ours])
        look = self.looks.get(self._source(name))
        if look is not None:
            if "volumes" not in look:
                yield _LOOK % (self._source(name), look.get("msg") or "no reason given")
            elif name not in self._volumes_there(name) and not self._has_come(name):
                yield _NO_ROOT % (volume_options(told["place"], name), self._source(name))

    def _of(self, step, name):
        """Answers of a step for a guest and its disks."""
        return [answer for key, answer in self.answers[step].items() if guest_of(key) == name]

    def _has_come(self, name):
        """Whether a call before this one has begun to take it away where it was: it is defined here then."""
        return name in self.found

    def _looked(self, name):
        """The volumes that are on the host where a guest is."""
        return (self.looks.get(self._source(name)) or {}).get("volumes") or []

    def _volumes_there(self, name):
        """Names of a guest's volumes where it is, the root disk last: it is what tells that the others have come."""
        volumes = self._looked(name)
        root = [volume for volume in volumes if volume["part"] == "own" and volume["name"].removesuffix(".raw") == name]
        data = [data_disk(volume) for volume in volumes]
        return [key for key in data if key and guest_of(key) == name] + [name for _each in root]

    def _ran(self, name):
        """Whether it ran before this call, or one like this that was cut, has stopped it."""
        noted = any(volume.get("ran") for volume in self._looked(name) if volume["name"].removesuffix(".raw") == name)
        return noted or self.moving[name]["domain"]["state"] != "shutoff"

    # What each step is asked for.

    def _image(self, name):
        """The image whose clone a root disk is, where this host does not have it: its name and guid."""
        root = next((volume for volume in self._looked(name) if volume["part"] == "own" and volume["name"] == name and volume.get("origin")), None)
        if self.place["folder"] or root is None:
            return None
        here = [golden.get("guid") for golden in self.returned["goldens"].get("volumes") or []]
        return None if root["guid"] in here else (root["origin"].partition("@")[0].rpartition("/")[2], root["guid"])

    def _fetched(self, name, _guest):
        image = self._image(name)
        return {"name": image[0]} if image else None

    def _received(self, name, _guest):
        image, fetched = self._image(name), (self.answers["fetched"].get(name) or {}).get("image") or {}
        if image is None:
            return None
        return {"src": fetched.get("path"), "guid": image[1], "golden": self.place["golden"]}

    def _copied(self, name, _guest):
        return self._brought(name, "copied")

    def _moved(self, name, _guest):
        return self._brought(name, "moved")

    def _brought(self, name, state):
        source, place = self._source(name), self.moving[name]["place"]
        asked = {}
        for key in self._volumes_there(name):
            here, there = volume_options(self.place, key), volume_options(place, key)
            golden = {} if self.place["folder"] else {"golden": self.place["golden"]}
            asked[key] = {"source": source, "state": state, **here, **golden, **{"from_" + kind: at for kind, at in there.items()}}
            if state == "moved" and self._copied_to(key).get("since"):
                asked[key]["since"] = self._copied_to(key)["since"]
        return asked

    def _noted(self, name, guest):
        # What this call knows, the next one knows only from the host.
        runs = self.moving[name]["domain"]["state"] != "shutoff"
        return dict(volume_options(self.moving[name]["place"], name), state="noted") if runs and guest.get("state") == "present" else None

    def _stopped(self, name, guest):
        # It shall not start with that host any more, even where it is off already.
        return {"state": "shutoff", "autostart": False, **{key: guest[key] for key in ("force", "shutdown_timeout") if key in guest}}

    def _images(self, name, guest):
        # The volume that is arriving tells which it is.
        arriving = self._copied_to(name).get("name")
        return {**super()._images(name, guest), **({kind: arriving for kind in self._volume(name)} if arriving else {})}

    def _copied_to(self, key):
        """What is known of a volume that was brought while its guest ran."""
        return (self.answers["copied"].get(key) or {}).get("volume") or {}

    def _volumes(self, name, guest):
        # In check mode there is none yet, and none shall be made of the image.
        return None if self.check or self._are_right(name, guest) else super()._volumes(name, guest)

    def _are_right(self, name, guest):
        """Whether its volumes are known to be as its dictionary has them, so that nobody need look while it is off."""
        sizes = {volume["name"].removesuffix(".raw"): volume.get("size") for volume in self._looked(name) if volume["part"] == "own"}
        data = {_disks.key(name, disk): said for disk, said in _disks.disks_of(guest).items() if said.get("size")}
        if any(said.get("properties") for said in data.values()):
            return False
        wanted = {key: said["size"] for key, said in data.items()}
        wanted.update({name: guest["disk"]} if guest.get("disk") else {})
        return name in sizes and all(sizes.get(key) == size_in_bytes(size) for key, size in wanted.items())

    def _domains(self, name, guest):
        state = guest.get("state", "running")
        given = super()._domains(name, dict(guest, state="running") if state == "present" and self._ran(name) else guest)
        root = given["guest_disk"] or self._device(name)
        disks = [dict(disk, device=disk["device"] or self._device(_disks.key(name, disk["name"]))) for disk in given["guest_disks"]]
        return dict(given, guest_disk=root, guest_disks=disks)

    def _given(self, name, _guest):
        return {key: dict(options, state="given") for key, options in self._brought(name, "given").items()}

    def _unseeded(self, name, _guest):
        return {"path": seed_path(self.moving[name]["place"], name)}

    def _undefined(self, _name, _guest):
        return {}

    # What a person is told.

    def told_failures(self):
        """Why guests have failed, as a person is told, who has to know of a guest that it is off."""
        return {name: self._told(name, reason) for name, reason in self.failures().items()}

    def _told(self, name, reason):
        if name not in self.moving or self.check:
            return reason
        if self._is_here(name):
            return _STILL % (self._source(name), reason)
        if any(answer.get("changed") for answer in self._of("stopped", name)) or self.moving[name]["domain"]["state"] == "shutoff" and self._ran(name):
            return _OFF % (reason, self._source(name))
        return reason

    def _is_here(self, name):
        return name not in self.failures(self.before("given"))

    def table(self):
        """One line a guest, and how each comes back."""
        failed = self.failures()
        rows = [["guest", "from", "state", "copied", "sent while off", "seconds off", "changed", "note"]]
        for name in self.guests:
            domain = (self.answers["domains"].get(name) or {}).get("domain") or {}
            state = "failed" if name in failed else domain.get("state") or self.found.get(name, {}).get("state", "-")
            rows.append([
                name, self._source(name) if name in self.moving else "-", state, *self._figures(name),
                "yes" if any(answer.get("changed") for step in STEPS for answer in self._of(step, name)) else "no", self._note(name),
            ])
        back = [_BACK % (name, "this host", self._source(name), name) for name in self.guests if name in self.moving and name not in failed]
        return aligned(rows) + ([] if self.check else back)

    def _figures(self, name):
        sent = {step: sum((answer.get("volume") or {}).get("sent", 0) for answer in self._of(step, name)) for step in ("copied", "moved")}
        off = sum(seconds_of(answer, "total") for step in _OFF_FOR for answer in self._of(step, name))
        off += sum((answer.get("volume") or {}).get("seconds", 0.0) for answer in self._of("moved", name))
        return ["%.1f MiB" % (sent["copied"] / (1 << 20)), "%.1f MiB" % (sent["moved"] / (1 << 20)), "%.2f" % off]

    def _note(self, name):
        if name not in self.moving:
            return "is here already" if name in self.found else ""
        notes = ["without its disk %s (%s)" % each for each in self._elsewhere(name)]
        if self.moving[name]["domain"].get("autostart") and "autostart" not in self.guests[name]:
            notes.append("started with %s: say autostart in its dictionary" % self._source(name))
        return "; ".join(notes)

    def _elsewhere(self, name):
        """Disks that are none of ours: they have to be on both hosts."""
        disks = _disks.disks_of(self.guests[name]).items()
        return [(disk, device) for disk, device in ((disk, _disks.device(said)) for disk, said in disks) if device]


def _answers(returned):
    """What modules have answered of guests, also where a loop has asked them."""
    answers = dict(returned.get("guests") or {})
    for result in returned.get("results") or []:
        answers.update(result.get("guests") or {})
    return answers


def _has_failed(returned):
    """Whether a whole task has failed, so that nobody knows what has become of its guests."""
    return bool(returned.get("failed")) and not _answers(returned)
