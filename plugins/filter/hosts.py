# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which hosts a playbook of this collection is for, where nobody says: never a guest, never a host that has nothing to do with it."""

from __future__ import annotations

import os
import re

from ansible import context
from ansible.errors import AnsibleFilterError
from ansible_collections.apiary.bhyve.plugins.plugin_utils._fleet import GUESTS, HYPERVISORS, near_guests

WITH_GUESTS = "bhyve_with_guests"
LEFT_ALONE = "bhyve_without_guests"
REPOSITORIES = "bhyve_repository"
_NAMES = re.compile(r"[A-Za-z0-9_.-]+([,:][A-Za-z0-9_.-]+)*")


def _named_by(limit, groups):
    """Hosts that a --limit of plain names means; None where it is more than that."""
    if not limit or not _NAMES.fullmatch(limit):
        return None
    return {host for word in re.split("[,:]", limit) for host in groups.get(word, [word])}


def _without_guests(group, groups, *others):
    return ":!".join([group, *(other for other in (GUESTS, *others) if other in groups)])


def _of_group(group, groups, said):
    """The pattern for a group with hosts; an error where it has none, because Ansible would skip the play and be content."""
    left = set(groups.get(group, ())) - (set(groups.get(GUESTS, ())) if group != REPOSITORIES else set())
    # The syntax is that of the playbook, whatever the inventory, and mostly checked without any.
    if not left and not context.CLIARGS.get("syntax"):
        raise AnsibleFilterError("looking for the hosts of this play: expected hosts in the group %s of the inventory, found none; "
                                 "put them there, or say -e %s=PATTERN" % (group, said))
    return group if group == REPOSITORIES else _without_guests(group, groups)


def hosts_with_guests(groups):
    """Where guests are deployed and removed: the hypervisors, or whoever has guests, or any host but guests."""
    if HYPERVISORS in groups:
        return _of_group(HYPERVISORS, groups, "bhyve_hosts")
    if groups.get(WITH_GUESTS):
        return _of_group(WITH_GUESTS, groups, "bhyve_hosts")
    _of_group("all", groups, "bhyve_hosts")
    # Whom an earlier play has found to have nothing to do with guests.
    return _without_guests("all", groups, LEFT_ALONE)


def hosts_without_guests(groups, hostvars, hosts):
    """Those of HOSTS that nothing says to have guests or to be hypervisors."""
    if HYPERVISORS in groups or groups.get(WITH_GUESTS):
        return []
    # Guests whose description cannot be resolved are there, and the check says what is wrong with them.
    return [host for host in hosts if GUESTS not in hostvars[host] and not near_guests(hostvars, host)]


def hosts_to_prepare(groups, limit=""):
    """What becomes a hypervisor: what the inventory calls one or has guests already, and nothing by default."""
    prepared = set(groups.get(WITH_GUESTS, ())) - set(groups.get(GUESTS, ()))
    named = _named_by(limit, groups)
    if HYPERVISORS not in groups and prepared and (named is None or named & prepared):
        return _without_guests(WITH_GUESTS, groups)
    return _of_group(HYPERVISORS, groups, "bhyve_hosts")


def hosts_of_repository(groups):
    """Who serves and publishes images."""
    return _of_group(REPOSITORIES, groups, "bhyve_repository_hosts")


def hosts_with_clocks(groups):
    """Every host but guests."""
    return _of_group("all", groups, "ntp_hosts")


def whole_play(hosts):
    """The same hosts, where nobody has asked for a part of a playbook of ours, which has none."""
    chosen = {"--tags": set(context.CLIARGS.get("tags") or ()) - _EVERYTHING, "--skip-tags": set(context.CLIARGS.get("skip_tags") or ())}
    said = " ".join("%s %s" % (option, ",".join(sorted(tags))) for option, tags in chosen.items() if tags)
    run = context.CLIARGS.get("args") or ()
    if said and run and all(map(_is_ours, run)):
        raise AnsibleFilterError("running %s: expected no tags, because none of its tasks has one, found %s; leave that out: what is as it should be "
                                 "is left alone" % (" ".join(run), said))
    return hosts


def _is_ours(playbook):
    return playbook.startswith("apiary.bhyve.") or os.path.dirname(os.path.realpath(playbook)) == _PLAYBOOKS


_EVERYTHING = {"all", "untagged"}
_PLAYBOOKS = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__)))), "playbooks")


class FilterModule:
    """Filters of the playbooks."""

    def filters(self):
        """Names in playbooks."""
        return {
            "hosts_of_repository": hosts_of_repository,
            "hosts_to_prepare": hosts_to_prepare,
            "hosts_with_clocks": hosts_with_clocks,
            "hosts_with_guests": hosts_with_guests,
            "hosts_without_guests": hosts_without_guests,
            "whole_play": whole_play,
        }
