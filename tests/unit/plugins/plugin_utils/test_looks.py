# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several looks in one task: each is judged as its module would judge it."""

from __future__ import annotations

import pytest
from ansible_collections.apiary.bhyve.plugins.action import libvirt_host_info

OPTIONS = libvirt_host_info.ActionModule.options


def look(module, **options):
    return {"module": module, "options": options}


def test_each_has_the_canonical_options_of_its_module():
    looks = {"domains": look("libvirt_domain_info"), "volumes": look("zfs_receive_info", dataset="t/g"), 5: look("bhyve_image_info", store="/s")}
    options, secrets, wrong = OPTIONS.judge({"looks": looks})
    assert wrong == "" and secrets == set() and set(options["looks"]) == {"domains", "volumes", "5"}
    assert options["looks"]["domains"]["options"]["answer_timeout"] == 300 and options["looks"]["volumes"] == look("zfs_receive_info", dataset="t/g")
    guests = {"web1": {"datasets": ["t/g/web1"]}}
    options, _secrets, wrong = OPTIONS.judge({"looks": {"snapshots": look("zfs_snapshot_info", guests=guests)}})
    assert wrong == "" and options["looks"]["snapshots"]["options"]["guests"] == guests


@pytest.mark.parametrize("looks, expected", [
    ({"a": look("zfs_receive_info", dataste="t/g")}, "look a: unknown option dataste; did you mean dataset?"),
    ({"a": look("zfs_receive_info")}, "look a: one of the following is required: dataset, path"),
    ({"a": look("zfs_receive", dataset="t/g")}, "look a: found module zfs_receive, expected one of bhyve_image, bhyve_image_info, libvirt_domain_info"),
    ({"a": "libvirt_domain_info"}, "look a: expected a dictionary of module and options"),
    ({"a": {"module": "libvirt_domain_info"}}, "look a: expected a dictionary of module and options"),
    ({"a": {"module": "libvirt_domain_info", "options": []}}, "look a: expected a dictionary of module and options"),
    ("text", "looks"),
])
def test_what_is_wrong_is_told_with_the_name_of_the_look(looks, expected):
    wrong = OPTIONS.judge({"looks": looks})[2]
    assert expected in wrong


def test_a_task_without_looks_is_told():
    assert "looks" in OPTIONS.judge({})[2]
