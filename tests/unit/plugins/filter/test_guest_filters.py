# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filters of the role guest: sound and unsound fleets, results of loops, the table at the end."""

from __future__ import annotations

import pathlib

import pytest
import yaml
from ansible.errors import AnsibleFilterError
from ansible_collections.apiary.bhyve.plugins.filter import guests
from ansible_collections.apiary.bhyve.plugins.modules import guest_seed

GUEST = {"image": "demo-1", "vcpus": 1, "memory": "2G"}


def fleet(**hosts):
    return guests.fleet_problems({host: {"bhyve_guests": of} for host, of in hosts.items()}, list(hosts))


def test_a_sound_fleet_has_no_problems():
    seed = {"hostname": "web1.example.org", "addresses": ["192.0.2.11/24", "2001:db8::1/64"]}
    assert fleet(hv1={"web1": {**GUEST, "seed": seed, "disk": "40G"}}, hv2={"web2": GUEST}, hv3=None) == []


@pytest.mark.parametrize(("guest", "problem"), [
    ({"vcpus": 1, "memory": "2G"}, "'image' is missing"),
    ({**GUEST, "memmory": 1}, "unknown key 'memmory'; known are "),
    ({**GUEST, "memory": "lots"}, "'memory' must be a size such as 2G, found 'lots'"),
    ({**GUEST, "disk": "-1G"}, "'disk' must be a size such as 2G, found '-1G'"),
    ({**GUEST, "vcpus": 0}, "'vcpus' must be a number from 1, found 0"),
    ({**GUEST, "state": "absent"}, "'state' must be one of running, shutoff, present, found 'absent'; apiary.bhyve.remove"),
    ({**GUEST, "mac": "58:9C:FC:00:00:01"}, "'mac' must be six lower-case hexadecimal pairs"),
    ({**GUEST, "seed": {"addresses": ["192.0.2.300/24"]}}, "seed address '192.0.2.300/24' is no IP address"),
    ({**GUEST, "seed": {"adresses": ["dhcp"]}}, "unknown key 'adresses' in 'seed'; known are addresses, family, "),
    ({**GUEST, "seed": "dhcp"}, "'seed' must be a dictionary, found str"),
    ("demo-1", "expected a dictionary with image, vcpus and memory, found str"),
])
def test_a_bad_guest_is_named_with_its_fault(guest, problem):
    (found,) = fleet(hv1={"web1": guest})
    assert found.startswith("hv1/web1: " + problem)


def test_the_role_hands_on_every_option_of_a_seed():
    options = set(yaml.safe_load(guest_seed.DOCUMENTATION)["options"])
    assert guests.SEED_KEYS == options - {"path", "name", "state"}
    tasks = yaml.safe_load((pathlib.Path(guests.__file__).parents[2] / "roles/guest/tasks/main.yml").read_text())
    (task,) = (task for task in tasks if "apiary.bhyve.guest_seed" in task)
    assert set(task["apiary.bhyve.guest_seed"]) == options - {"state"}


@pytest.mark.parametrize("name", ["", "-web", "web 1", "a/b", "x" * 64, "..", "web\n"])
def test_a_bad_name_is_refused(name):
    (found,) = fleet(hv1={name: GUEST})
    assert "its name must be" in found


def test_what_two_guests_cannot_share():
    one = {**GUEST, "mac": "58:9c:fc:00:00:01", "console": "/dev/nmdm1A", "vnc": {"port": 5901},
           "seed": {"addresses": ["192.0.2.11/24"], "hostname": "web"}}
    two = {**one, "seed": {"addresses": ["192.0.2.11/25"], "hostname": "WEB"}}
    on_two_hosts = fleet(hv1={"a": one}, hv2={"b": two})
    assert on_two_hosts == [
        "hv1/a and hv2/b: mac 58:9c:fc:00:00:01 is taken more than once",
        "hv1/a and hv2/b: address 192.0.2.11 is taken more than once",
        "hv1/a and hv2/b: hostname web is taken more than once",
    ]
    on_one_host = fleet(hv1={"a": one, "b": two})
    assert "hv1/a and hv1/b: console /dev/nmdm1A is taken more than once" in on_one_host
    assert "hv1/a and hv1/b: vnc port 5901 is taken more than once" in on_one_host
    assert fleet(hv1={"a": GUEST}, hv2={"a": GUEST}) == ["hv1/a and hv2/a: name a is taken more than once"]


def test_other_hosts_count_where_they_collide():
    other = {"bhyve_guests": {"web": {**GUEST, "mac": "58:9c:fc:00:00:01"}, "broken": "no guest"}}
    hostvars = {"hv1": {"bhyve_guests": {"a": {**GUEST, "mac": "58:9c:fc:00:00:01"}}}, "hv2": other, "hv3": other, "hv4": {"bhyve_guests": 1}}
    assert guests.fleet_problems(hostvars, ["hv1"], ["hv1", "hv2", "hv4"]) == [
        "hv1/a and hv2/web: mac 58:9c:fc:00:00:01 is taken more than once"
    ]
    assert guests.fleet_problems({**hostvars, "hv1": {}}, ["hv1"], list(hostvars)) == []


@pytest.mark.parametrize(("size", "count"), [("2G", 2 << 30), ("2GiB", 2 << 30), ("512 m", 512 << 20), (4096, 4096)])
def test_sizes_for_templates(size, count):
    assert guests.bytes_of(size) == count


def test_what_is_no_size_is_an_error():
    with pytest.raises(AnsibleFilterError, match="a size such as 2G, found '2 gallons'"):
        guests.bytes_of("2 gallons")


def loop(**results):
    return {"results": [{"ansible_loop_var": "guest_name", "guest_name": name, **result} for name, result in results.items()]}


def test_results_are_found_by_item():
    registered = loop(web1={"volume": {"device": "/dev/zvol/web1"}}, web2={"skipped": True})
    assert guests.result_of(registered, "web1", "volume.device") == "/dev/zvol/web1"
    assert guests.result_of(registered, "web2", "volume.device", "") == ""
    with pytest.raises(AnsibleFilterError, match="looking for volume.device of web2: the task"):
        guests.result_of(registered, "web2", "volume.device")


def test_templates_are_named_or_given_by_path():
    assert guests.template_file("uefi") == "domains/uefi.xml.j2"
    assert guests.template_file("/etc/site/own.xml.j2") == "/etc/site/own.xml.j2"


def test_the_table_counts_a_shared_fetch_once():
    def took(seconds, **more):
        return {"timings": {"total": {"seconds": seconds}}, **more}

    image = took(2.0, image={"name": "demo", "version": "1"})
    report = {
        "definitions": {"web1": GUEST, "web2": GUEST, "other": GUEST},
        "images": {"results": [{"ansible_loop_var": "guest_image", "guest_image": "demo-1", **image}]},
        "volumes": loop(web1=took(1.0, volume={"device": "/v/web1"}, changed=True), web2=took(1.0, volume={"device": "/v/web2"})),
        "seeds": loop(),
        "domains": loop(web1=took(0.5, domain={"state": "running"}), web2=took(0.5, domain={"state": "running"})),
        "waits": loop(web1=took(3.0)),
    }
    lines = guests.deployment_table(report)
    assert [line.split() for line in lines[1:3]] == [
        "web1 running demo-1 /v/web1 2.00 1.00 0.00 0.50 3.00 yes".split(),
        "web2 running demo-1 /v/web2 0.00 1.00 0.00 0.50 0.00 no".split(),
    ]
    assert lines[-1] == "8.00 seconds on the host for 2 guests"


def test_needs_of_images_are_held_against_their_guests():
    def fetched(**image):
        return {"results": [{"ansible_loop_var": "guest_image", "guest_image": GUEST["image"], "image": image}]}

    def unmet(image, template="uefi", **guest):
        return guests.unmet_needs({"web1": {**GUEST, **guest}}, fetched(**image), template)

    assert unmet({}) == [] and unmet({"min_memory": None, "loader": None}) == []
    assert unmet({"min_memory": 1 << 30}, memory="1G") == []
    assert unmet({"min_memory": 1 << 30}, memory="512M") == [
        "web1: image %s needs 1073741824 bytes of memory, found memory: 512M" % GUEST["image"]
    ]
    assert unmet({"loader": "uefi"}) == [] and unmet({"loader": "bhyveload"}, template="loader") == []
    assert unmet({"loader": "uefi"}, template="loader") == [
        "web1: image %s is booted by uefi, found template: loader, expected uefi" % GUEST["image"]
    ]
    for own in ("qemu", "/etc/site/own.xml.j2"):
        assert unmet({"loader": "bhyveload"}, template=own) == []


def test_the_family_of_a_seed_follows_from_the_image():
    for image_os, family in [("freebsd", "freebsd"), ("FreeBSD-14.2", "freebsd"), ("debian-12", "linux"), ("linux", "linux"), ("", ""), (None, "")]:
        assert guests.seed_family(image_os) == family
    with pytest.raises(AnsibleFilterError, match="found 'openbsd'; say 'family' in the guest's seed"):
        guests.seed_family("openbsd")
