# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Guests that have moved from one host's dictionary to another's, and still run where they were."""

from __future__ import annotations

import contextlib

from ansible_collections.apiary.bhyve.plugins.plugin_utils._deployment import ours
from ansible_collections.apiary.bhyve.plugins.plugin_utils._fleet import GUESTS, HYPERVISORS, UNREADABLE, guests_of
from ansible_collections.apiary.bhyve.plugins.plugin_utils._guest import plain

_FOUND = "guest_domains_found"


def domains_found(hostvars, host):
    """The domains that this collection has made on a host, by name, as far as this play has looked."""
    return ours(hostvars[host].get(_FOUND))


def hosts_to_ask(hostvars, groups, batch):
    """Hypervisors that are not looked at in this play, or not yet, because of --limit or `serial`: those that may still run a guest which
    BATCH is about to start. None where it starts none."""
    if not any(_starting(hostvars, host) for host in batch):
        return []
    if groups.get(HYPERVISORS):
        known = groups[HYPERVISORS]
    else:
        known = [host for host in groups.get("all", ()) if host not in groups.get(GUESTS, ()) and guests_of(hostvars, host)]
    return [host for host in known if host not in batch and _FOUND not in hostvars[host]]


def _starting(hostvars, host):
    """Whether a guest of this host's dictionary shall run here and does not."""
    found, guests = domains_found(hostvars, host), guests_of(hostvars, host)
    return any(_shall_run(guests, name) for name in guests if found.get(str(name), {}).get("state", "shutoff") == "shutoff")


def _shall_run(guests, name):
    with contextlib.suppress(*UNREADABLE):
        return (plain(guests[name]).get("state") or "running") == "running"
    # It cannot be deployed, as the check says.
    return False


def guests_elsewhere(hostvars, hosts, asked=None):
    """Guests that still run on a host whose dictionary has them no more: by the host that has them now, the other one by their names. ASKED
    is what hosts outside the play have answered."""
    found = {host: domains_found(hostvars, host) for host in hosts}
    found.update(asked_hosts(asked))
    left = {}
    for host, domains in found.items():
        named_there = guests_of(hostvars, host)
        left.update({name: host for name, domain in domains.items() if name not in named_there and domain["state"] != "shutoff"})
    return {here: {name: left[name] for name in guests_of(hostvars, here) if name in left} for here in hosts} if left else {}


def asked_hosts(asked):
    """The domains of ours on hosts outside the play that were asked, by host."""
    return {result["item"]: ours(result) for result in _results(asked)}


def hosts_silent(asked):
    """Hosts that were asked and have not answered."""
    return [result["item"] for result in _results(asked) if "domains" not in result]


def _results(asked):
    return (asked or {}).get("results") or []
