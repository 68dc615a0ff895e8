# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A guest whose disk becomes an image: what each step is asked for, and what has become of it."""

from __future__ import annotations

from ansible_collections.apiary.bhyve.plugins.plugin_utils._deployment import aligned, volume_options
from ansible_collections.apiary.bhyve.plugins.plugin_utils._images import OF_PRUNING, Image
from ansible_collections.apiary.bhyve.plugins.plugin_utils._verbs import ABSENT, Verbs

# What the catalogue's host says of itself, as the playbooks that publish read it.
_OF_CATALOGUE = {
    "path": "bhyve_catalog_path", "signing_key": "bhyve_catalog_signing_key", "signing_command": "bhyve_catalog_signing_command",
    "signature_type": "bhyve_catalog_signature_type", "pubkey": "bhyve_catalog_signing_pubkey", "lock_timeout": "bhyve_catalog_lock_timeout",
}
# What the image that the guest was made from says of its system goes for the new one, too.
_INHERITED = ("os", "arch")
_REQUIREMENTS = {"memory": "min_memory", "loader": "loader", "disk_driver": "disk_driver", "network_driver": "network_driver"}

_ONE = "an image is made of one guest: expected one name in guest_names, found %s"
_NO_REPOSITORY = "expected a host in the group bhyve_repository, or -e guest_capture_repository=HOST, where the image is published; found none"
_NO_CATALOGUE = "publishing on %s: expected %s to be set for that host, or for the group bhyve_repository"
_RUNS = (
    "it is %s, and its disk is a file, which can be read as it is in one moment only while nobody writes to it: shut it down, or say "
    "-e guest_stop=true to have it shut down and started again"
)
_OFF = "it is off: %s"
_AS_IT_RAN = "taken while it ran, as it would be after a power cut"
_THERE = "is in the catalogue already"
_MADE = "`image: %s` in an entry of bhyve_guests makes a guest of it"


def catalogue_of(hostvars, host):
    """What the HOST that publishes says of its catalogue."""
    variables = hostvars[host] if host in hostvars else {}
    return {variable: variables[variable] for variable in _OF_CATALOGUE.values() if variable in variables}


class Capturing(Verbs):
    """`told` is that of a verb; `asked` holds the `image`, NAME-VERSION, its further `options` in the words of `bhyve_images`, the
    `repository` and what that host says of its `catalogue`, the `host` of the guest, and whether this is a `check`; `images` is what is known of
    the image that the guest has."""

    def __init__(self, told):
        super().__init__(told)
        self.images = (told.get("images") or {}).get("guests") or {}
        self.check = bool(self.asked.get("check"))
        self.image = Image(str(self.asked["image"]), self.asked.get("options") or {}, True)
        for step in ("announced", "captured"):
            results = [each for each in self.returned[step].get("results") or [] if "item" in each]
            # The task itself fails for nobody, so that a guest is started again: one that has failed says nothing of the catalogue.
            self.answers[step] = {each["item"]["guest"]: dict(each, failed="catalogue" not in each) for each in results}

    def before(self, phase):
        # Who was stopped is started again, whatever has become of the image.
        return ("announced", "stopped") if phase == "started" else super().before(phase)

    def calls(self, step):
        """What bhyve_catalog is asked for in a step, for each guest, which is one."""
        failed = self.failures(self.before(step))
        names = [name for name in self.guests if name not in failed and (step == "announced" or self._is_new(name))]
        return [{"guest": name, "options": self._published(name)} for name in names]

    def known(self):
        """What is asked of the images that guests have, by guest; of one in no dictionary nobody knows it."""
        return {name: self._images(name, guest) for name, guest in self.guests.items() if guest.get("image")}

    def _reasons(self, name, phases):
        if len(self.guests) != 1:
            yield _ONE % ", ".join(self.guests)
        if name not in self.there:
            yield ABSENT
        yield from self._unfit()
        if "announced" in phases and self._is_new(name) and self.place["folder"] and self._is_active(name) and not self._may_stop():
            yield _RUNS % self.found[name]["state"]
        yield from super()._reasons(name, phases)
        yield from (self.returned[step].get("msg") or "no reason given" for step in ("stopped", "started") if step in phases and self._fate_unknown(step))

    def _unfit(self):
        repository = self.asked.get("repository")
        if not repository:
            yield _NO_REPOSITORY
            return
        told = self.asked["catalogue"]
        signs = told.get(_OF_CATALOGUE["signing_key"]) or told.get(_OF_CATALOGUE["signing_command"])
        needed = {_OF_CATALOGUE["path"]: told.get(_OF_CATALOGUE["path"]), _OF_CATALOGUE["signing_key"]: signs}
        unset = [variable for variable, value in needed.items() if not value]
        if unset:
            yield _NO_CATALOGUE % (repository, " and ".join(unset))
        # Where it comes from is said by the guest.
        faults = list(Image(self.image.key, {**self.image.told, "source": "guest"}, True).faults())
        if faults:
            yield "image %s: %s" % (self.image.key, "; ".join(faults))

    def _is_new(self, name):
        # One that is there already is told with all that is known of it.
        announced = self.answers["announced"].get(name) or {"image": None}
        return not announced.get("failed") and "image" not in announced

    def _published(self, name):
        known = self.images.get(name, {}).get("image") or {}
        requirements = {option: known[fact] for option, fact in _REQUIREMENTS.items() if known.get(fact)}
        inherited = {**{option: known[option] for option in _INHERITED if known.get(option)}, **({"requirements": requirements} if requirements else {})}
        told = self.asked["catalogue"]
        of_catalogue = {option: told[variable] for option, variable in _OF_CATALOGUE.items() if told.get(variable)}
        own = {option: value for option, value in self.image.options().items() if option not in OF_PRUNING}
        place = volume_options(self.place, name)
        return {**inherited, **own, **of_catalogue, "source": place.get("path") or place["dataset"], "source_host": self.asked["host"]}

    def _stopped(self, name, guest):
        return self._power(guest, "shutoff") if self._may_stop() and self._is_new(name) and self._is_active(name) else None

    def _started(self, name, guest):
        return super()._started(name, guest) if self._may_stop() else None

    def told_failures(self):
        """Why guests have failed; of one that was left off, that it is."""
        failed = self.failures()
        return {name: _OFF % reason if self._is_left_off(name) else reason for name, reason in failed.items()}

    def _is_left_off(self, name):
        stopped, started = (self.answers[step].get(name, {}) for step in ("stopped", "started"))
        return bool(stopped.get("changed")) and not self.check and (bool(started.get("failed")) or not started)

    def table(self):
        """What has become of the guest's image; below, how it is used."""
        if not self.guests:
            return []
        failed = self.failures()
        rows = [["guest", "image", "result", "note"]]
        for name in self.guests:
            changed = any(self.answers[step].get(name, {}).get("changed") for step in self.phases)
            rows.append([name, self.image.id(), "failed" if name in failed else "changed" if changed else "unchanged", "; ".join(self._notes(name))])
        return aligned(rows) + ([] if failed or self.check else [_MADE % self.image.id()])

    def _notes(self, name):
        package = self.answers["captured"].get(name, {}).get("image") or {}
        if self._is_new(name):
            if self._is_active(name) and not self._may_stop():
                yield _AS_IT_RAN
            if package.get("size"):
                yield "package of %.1f MiB" % (package["size"] / (1 << 20))
        elif name in self.answers["announced"] and not self.answers["announced"][name].get("failed"):
            yield _THERE
        state = (self.answers["started"].get(name, {}).get("domain") or {}).get("state")
        if state:
            yield state
