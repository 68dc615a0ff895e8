# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role guest asks in one word: what is each phase to do, how did it go, which guests are there."""

from __future__ import annotations

from collections.abc import Mapping

from ansible.errors import AnsibleFilterError
from ansible_collections.apiary.bhyve.plugins.plugin_utils._deployment import Deployment, named
from ansible_collections.apiary.bhyve.plugins.plugin_utils._fleet import guests_of
from ansible_collections.apiary.bhyve.plugins.plugin_utils._moved import domains_found, guests_elsewhere, hosts_silent, hosts_to_ask
from ansible_collections.apiary.bhyve.plugins.plugin_utils._removal import Removal, left_of_guests
from ansible_collections.apiary.bhyve.plugins.plugin_utils._words import meant


def deployment_options(told, phase):
    """What the module of a phase is asked for, by guest."""
    deployment = Deployment(told)
    return deployment.drafts() if phase == "drafts" else deployment.options(phase)


def removal_options(told, phase):
    """What the module of a phase is asked to remove, by guest."""
    return Removal(told).options(phase)


def removal_problems(told):
    """What is wrong with the names of data disks that are to go with their guests."""
    return Removal(told).problems()


def removal_table(told):
    """What has gone and what was kept, one line a guest."""
    return Removal(told).table()


def removal_failures(told):
    """Why guests were not removed, one line each."""
    return _lines(Removal(told).failures())


def deployment_failures(told):
    """Why guests have failed, one line each."""
    return _lines(Deployment(told).failures())


def _lines(failures):
    return ["%s: %s" % failure for failure in failures.items()]


def deployment_refusal(told):
    """Why nothing at all can be deployed: what is wrong with the dictionary, or with every guest; nothing where one is left."""
    deployment = Deployment(told)
    if "" in deployment.faults:
        return [deployment.faults[""]]
    # Only what this run has found out so far: what is known of domains may be from an earlier play.
    faulty = {name: deployment.faults[name] for name in deployment.guests if name in deployment.faults}
    return _lines(faulty) if faulty and len(faulty) == len(deployment.guests) else []


def deployment_table(told):
    """How it went, one line a guest."""
    return Deployment(told).table()


def guests_here(hostvars, host):
    """Names of the guests that a host has by its dictionary, or still has as a domain, or of whom a look has found something left."""
    left = _left(hostvars, host)[0]
    return sorted({str(name) for name in guests_of(hostvars, host)} | set(domains_found(hostvars, host)) | left)


def _left(hostvars, host):
    return left_of_guests(*(hostvars[host].get("guest_%s_left" % what) for what in ("seeds", "volumes", "disks")))


def guests_unknown(hostvars, hosts, names):
    """Those of the names that no host has, as far as this play has looked."""
    here = {name for host in hosts for name in guests_here(hostvars, host)}
    return [name for name in named(names) if name not in here and named(names) != [ALL]]


def guests_to_remove(hostvars, host, names):
    """Those of the names that this host has; with the word for all, those of its dictionary."""
    if named(names) != [ALL]:
        here = guests_here(hostvars, host)
        return [name for name in named(names) if name in here]
    guests = hostvars[host].get("bhyve_guests", None)
    if guests and not isinstance(guests, Mapping):
        raise AnsibleFilterError("looking for the guests of %s: expected bhyve_guests to be a dictionary of guests, found %s" % (host, guests))
    return [str(name) for name in guests or ()]


def naming_problems(hostvars, hosts, names, one_host=False):
    """Names that no host has, and with ONE_HOST those that are on several."""
    where = {}
    for host in hosts:
        for name in guests_here(hostvars, host):
            where.setdefault(name, []).append(host)
    names = [] if one_host and named(names) == [ALL] else named(names)
    unknown = [name for name in names if name not in where]
    problems = [_unknown(hostvars, hosts, unknown, where)] if unknown else []
    several = {name: where[name] for name in names if len(where.get(name, [])) > 1} if one_host else {}
    return problems + [_SEVERAL % (name, " and ".join(on)) for name, on in several.items()]


def _unknown(hostvars, hosts, unknown, where):
    """With what is known of hosts that a look has failed on, and of what bears the name and is not ours."""
    close = list(dict.fromkeys(filter(None, (meant(name, where) for name in unknown))))
    said = _UNKNOWN % (", ".join(unknown), ", ".join(sorted(where)) or "none")
    said += "; did you mean %s?" % ",".join(close) if close else ""
    silent = [host for host in hosts if "domains" not in (hostvars[host].get("guest_domains_found") or {"domains": []})]
    foreign = ["%s on %s: %s" % (name, host, "; ".join(reasons)) for host in hosts for name, reasons in _left(hostvars, host)[1].items() if name in unknown]
    return "; ".join([said, *(["not asked, because they failed: %s" % ", ".join(silent)] if silent else []), *foreign])


ALL = "all"
_UNKNOWN = "looking for guests: expected names of guests of these hosts, found %s; they have: %s"
_SEVERAL = "%s is on %s: say which one is meant with --limit"


class FilterModule:
    """Filters of the role guest."""

    def filters(self):
        """Names in playbooks."""
        return {
            "deployment_failures": deployment_failures,
            "deployment_options": deployment_options,
            "deployment_refusal": deployment_refusal,
            "deployment_table": deployment_table,
            "guests_elsewhere": guests_elsewhere,
            "guests_here": guests_here,
            "guests_to_remove": guests_to_remove,
            "guests_unknown": guests_unknown,
            "hosts_silent": hosts_silent,
            "hosts_to_ask": hosts_to_ask,
            "naming_problems": naming_problems,
            "removal_failures": removal_failures,
            "removal_options": removal_options,
            "removal_problems": removal_problems,
            "removal_table": removal_table,
        }
