# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whom a playbook is for, where nobody says."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.apiary.bhyve.plugins.filter import hosts

PLUGIN = {"all": ["hv1", "db9", "repo1"], "bhyve_guests": ["db9"], "bhyve_with_guests": ["hv1"]}
OURS = {"all": ["hv1", "hv2", "repo1"], "bhyve_hypervisors": ["hv1", "hv2"]}
PLAIN = {"all": ["hv1", "repo1"], "ungrouped": ["hv1", "repo1"]}


@pytest.mark.parametrize(("groups", "limit", "pattern"), [
    (PLUGIN, "", "bhyve_with_guests:!bhyve_guests"),
    (PLUGIN, "hv1", "bhyve_with_guests:!bhyve_guests"),
    (PLUGIN, "hv*:&x", "bhyve_with_guests:!bhyve_guests"),
    # Who has no guests yet is a hypervisor when the inventory says so.
    (PLUGIN, "hv2", None),
    (PLUGIN, "repo1,db9", None),
    (OURS, "", "bhyve_hypervisors"),
    (OURS, "repo1", "bhyve_hypervisors"),
    ({**PLUGIN, **OURS}, "", "bhyve_hypervisors:!bhyve_guests"),
    ({**PLUGIN, "bhyve_hypervisors": ["db9"]}, "", None),
    (PLAIN, "", None),
    (PLAIN, "hv1", None),
    ({**PLAIN, "bhyve_hypervisors": []}, "", None),
])
def test_nothing_becomes_a_hypervisor_by_accident(groups, limit, pattern):
    if pattern:
        assert hosts.hosts_to_prepare(groups, limit) == pattern
        return
    with pytest.raises(AnsibleFilterError, match="expected hosts in the group bhyve_hypervisors .* or say -e bhyve_hosts=PATTERN"):
        hosts.hosts_to_prepare(groups, limit)


@pytest.mark.parametrize(("groups", "pattern"), [
    (PLUGIN, "bhyve_with_guests:!bhyve_guests"), (OURS, "bhyve_hypervisors"), (PLAIN, "all"),
    ({"all": ["hv1"], "bhyve_guests": [], "bhyve_with_guests": []}, "all:!bhyve_guests"),
])
def test_guests_are_deployed_where_guests_are(groups, pattern):
    assert hosts.hosts_with_guests(groups) == pattern


def test_a_group_without_hosts_is_no_success():
    with pytest.raises(AnsibleFilterError, match="group bhyve_hypervisors"):
        hosts.hosts_with_guests({**PLAIN, "bhyve_hypervisors": []})
    with pytest.raises(AnsibleFilterError, match="group bhyve_repository .* or say -e bhyve_repository_hosts=PATTERN"):
        hosts.hosts_of_repository(PLAIN)
    for choose, said in ((hosts.hosts_with_guests, "bhyve_hosts"), (hosts.hosts_with_clocks, "ntp_hosts")):
        with pytest.raises(AnsibleFilterError, match="group all of the inventory, found none; .* or say -e %s=PATTERN" % said):
            choose({"all": [], "ungrouped": []})
    # A guest may serve images.
    assert hosts.hosts_of_repository({**PLUGIN, "bhyve_repository": ["db9"]}) == "bhyve_repository"


def test_clocks_are_looked_at_everywhere_but_in_guests():
    assert [hosts.hosts_with_clocks(groups) for groups in (PLUGIN, PLAIN)] == ["all:!bhyve_guests", "all"]
