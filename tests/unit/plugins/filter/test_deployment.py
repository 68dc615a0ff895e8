# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One deployment of several guests: what each phase is asked for, whose failure is whose, the table, and who is where."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.apiary.bhyve.plugins.filter import deployment
from ansible_collections.apiary.bhyve.plugins.plugin_utils._deployment import seed_family

GUEST = {"image": "demo", "vcpus": 1, "memory": "2G"}
PLACE = {"folder": "", "dataset": "tank/guests", "golden": "tank/images", "seeds": "/seeds", "template": "uefi"}
IMAGE = {"name": "demo", "version": "1", "path": "/store/demo-1.pkg", "guid": "7", "sha256": "ab", "size": 1, "os": "debian-13"}


def took(seconds, **more):
    return {"timings": {"total": {"seconds": seconds}, "wall": {"seconds": seconds + 0.1}}, **more}


def told(guests, names=None, place=None, **phases):
    return {"names": list(guests) if names is None else names, "definitions": guests, "place": {**PLACE, **(place or {})}, **phases}


def images(**guests):
    return {"guests": {name: {"image": {**IMAGE, **image}} for name, image in guests.items()}}


def test_each_phase_is_asked_for_what_the_one_before_has_returned():
    guests = {"web1": {**GUEST, "disk": "40G", "mac": "58:9c:fc:20:00:01", "seed": {"hostname": "web1"}}, "web2": GUEST}
    before = told(guests, images=images(web1={}, web2={"sha256": None}))
    assert deployment.deployment_options(before, "images") == {
        "web1": {"name": "demo", "dataset": "tank/guests/web1"}, "web2": {"name": "demo", "dataset": "tank/guests/web2"},
    }
    volumes = deployment.deployment_options(before, "volumes")
    assert volumes["web1"] == {
        "dataset": "tank/guests/web1", "src": "/store/demo-1.pkg", "guid": "7", "sha256": "ab", "golden": "tank/images", "volsize": "40G",
    }
    assert volumes["web2"] == {"dataset": "tank/guests/web2", "src": "/store/demo-1.pkg", "guid": "7", "golden": "tank/images"}
    assert deployment.deployment_options(before, "seeds") == {
        "web1": {"hostname": "web1", "family": "linux", "mac": "58:9c:fc:20:00:01", "path": "/seeds/web1.seed"}
    }
    made = {"guests": {"web1": {"volume": {"device": "/dev/web1"}}, "web2": {"volume": {"device": "/dev/web2"}}}}
    domains = deployment.deployment_options({**before, "volumes": made}, "domains")
    assert domains["web1"] == {"guest": {**guests["web1"], "name": "web1"}, "guest_disk": "/dev/web1", "guest_disks": [], "guest_seed": "/seeds/web1.seed"}
    assert (domains["web2"]["guest_disk"], domains["web2"]["guest_seed"]) == ("/dev/web2", "")


def test_a_seed_gets_the_networks_of_its_guest():
    def seed(guest):
        return deployment.deployment_options(told({"web1": {**GUEST, **guest}}, images=images(web1={})), "seeds")["web1"]

    rest = {"family": "linux", "path": "/seeds/web1.seed"}
    front = {"addresses": ["192.0.2.11/24"], "gateway": "192.0.2.1", "mtu": 1400, "mac": "58:9c:fc:20:00:01"}
    networks = [{"bridge": "bridge0", **front}, {"bridge": "bridge1", "mtu": 9000}, {"network": "user", "interface": "out", "addresses": ["dhcp"]}]
    assert seed({"networks": networks, "seed": {"nameservers": ["192.0.2.53"]}}) == {
        **rest, "nameservers": ["192.0.2.53"], "networks": [front, {}, {"interface": "out", "addresses": ["dhcp"]}],
    }
    # With nothing to say of any interface, the seed is what it was.
    assert seed({"networks": [{"bridge": "bridge0", "mac": "58:9c:fc:20:00:01"}], "seed": {}}) == rest
    assert seed({"bridge": "bridge0", "mac": "58:9c:fc:20:00:01", "seed": {"network_config": {"version": 2}}}) == {**rest, "network_config": {"version": 2}}


def test_a_host_without_zfs_has_raw_files():
    before = told({"web1": GUEST}, place={"folder": "/guests"}, images=images(web1={}))
    assert deployment.deployment_options(before, "volumes")["web1"] == {
        "path": "/guests/web1.raw", "src": "/store/demo-1.pkg", "guid": "7", "sha256": "ab",
    }
    assert deployment.removal_options(before, "volumes") == {"web1": {"path": "/guests/web1.raw"}}
    assert deployment.removal_options(before, "seeds") == {"web1": {"path": "/seeds/web1.seed"}}


DISKS = {
    "data": {"size": "100G", "properties": {"compression": "zstd"}}, "old": {"dataset": "zroot/old/data", "bus": "sata"}, "log": {"size": "1G"},
    "fast": {"size": "2G", "bus": "nvme"}, "file": {"path": "/var//old.raw", "bus": "sata"},
}


def test_data_disks_are_asked_for_beside_the_root_disks():
    before = told({"web1": {**GUEST, "disks": DISKS}, "web2": GUEST}, images=images(web1={}, web2={}))
    volumes = deployment.deployment_options(before, "volumes")
    assert list(volumes) == ["web1", "web2", "web1:data", "web1:log", "web1:fast"]
    assert volumes["web1:data"] == {
        "dataset": "tank/guests/web1:data", "blank": True, "volsize": "100G", "properties": {"compression": "zstd"},
    }
    files = deployment.deployment_options({**before, "place": {**PLACE, "folder": "/guests"}}, "volumes")
    assert files["web1:data"] == {"path": "/guests/web1:data.raw", "blank": True, "volsize": "100G"}
    made = {name: {"volume": {"device": "/dev/" + name}} for name in volumes}
    disks = deployment.deployment_options({**before, "volumes": {"guests": made}}, "domains")["web1"]["guest_disks"]
    assert [tuple(disk.values()) for disk in disks] == [
        ("data", "/dev/web1:data", "virtio", "vdc"), ("old", "/dev/zvol/zroot/old/data", "sata", "sdb"), ("log", "/dev/web1:log", "virtio", "vdd"),
        ("fast", "/dev/web1:fast", "nvme", "nvme1n1"), ("file", "/var/old.raw", "sata", "sdc"),
    ]
    assert list(disks[0]) == ["name", "device", "bus", "target"]


def test_a_disk_that_fails_fails_its_guest():
    before = told({"web1": {**GUEST, "disks": DISKS}, "web2": GUEST}, images=images(web1={}, web2={}))
    before["volumes"] = {"guests": {
        "web1": {"volume": {"device": "/1"}, "changed": False}, "web2": {"volume": {"device": "/2"}},
        "web1:data": {"failed": True, "msg": "no space"}, "web1:log": {"changed": True},
    }}
    assert deployment.deployment_failures(before) == ["web1: disk data: no space"]
    assert list(deployment.deployment_options(before, "domains")) == ["web2"]
    before["faults"] = {"web1": ["no"]}
    assert list(deployment.deployment_options(before, "volumes")) == ["web2"]


def test_data_disks_are_kept_unless_they_are_named():
    def removal(disks=(), **more):
        return told({"web1": {**GUEST, "disks": DISKS}, "web2": GUEST}, ["web1"], remove_disks=disks, **more)

    def kept(before):
        return [line for line in deployment.removal_table(before) if line.startswith("kept: ")]

    line = "kept: tank/guests/web1:%s; add -e guest_remove_disks=web1:%s to destroy it"
    assert list(deployment.removal_options(removal(), "volumes")) == ["web1"]
    assert kept(removal()) == [line % (name, name) for name in ("data", "fast", "log")]
    some = removal("web1:data, web1:log")
    volumes = deployment.removal_options(some, "volumes")
    assert list(volumes) == ["web1", "web1:data", "web1:log"] and deployment.removal_problems(some) == []
    assert volumes["web1:data"] == {"dataset": "tank/guests/web1:data"} and kept(some) == [line % ("fast", "fast")]
    # A guest whose domain stays keeps them, too.
    assert deployment.removal_options({**some, "domains": {"guests": {"web1": {"failed": True}}}}, "volumes") == {}
    # What was there before is nobody's to destroy, a guest that stays keeps what it has, and another host's guest is judged there.
    for wrong in ("web1:dta", "web1:old", "web1", "web2:data"):
        (problem,) = deployment.removal_problems(removal([wrong]))
        assert problem == (
            f"looking for data disks to destroy: expected GUEST:DISK of a guest that is removed here, found {wrong}; "
            "they have: web1:data, web1:fast, web1:log"
        )
    assert deployment.removal_problems(removal(["elsewhere:data"])) == []


def test_data_disks_of_a_guest_that_has_left_the_dictionary_are_those_of_its_domain():
    sources = ["tank/guests/old1", "tank/guests/old1:data", "other/old1:data2", "tank/guests/old12:data"]
    domain = {"name": "old1", "state": "shutoff", "managed": {}, "disks": [{"source": "/dev/zvol/" + source} for source in sources]}
    before = told({"web1": GUEST}, ["old1"], domains_found={"domains": [domain]})
    assert [line.split(";")[0] for line in deployment.removal_table(before) if ";" in line] == ["kept: tank/guests/old1:data"]
    assert list(deployment.removal_options({**before, "remove_disks": "old1:data"}, "volumes")) == ["old1", "old1:data"]


def there(name, part="own", of=None, guid="7"):
    return {"name": name, "dataset": "tank/guests/" + name, "path": None, "device": "/dev/zvol/tank/guests/" + name, "part": part, "of": of, "guid": guid}


OLD, READY = there("web1.old-20261101T000000Z", "kept", "web1"), there("web1.redeploy", "staged", "web1")


def removal_of(volumes, definitions=None, **more):
    return {"names": ["web1"], "place": PLACE, "definitions": definitions or {}, "disks": {"volumes": volumes}, **more}


def test_what_redeploys_have_left_of_a_guest_goes_with_it():
    asked = removal_of([there("web1"), OLD, READY, there("web2.redeploy", "staged", "web2"), there("web1:data", guid=None)])
    volumes = deployment.removal_options(asked, "volumes")
    assert volumes == {
        "web1": {"dataset": "tank/guests/web1"}, "web1:.old-20261101T000000Z": {"dataset": OLD["dataset"]}, "web1:.redeploy": {"dataset": READY["dataset"]},
    }
    done = {"volumes": {"guests": {name: {"changed": True} for name in volumes}}}
    gone = "with web1: tank/guests/web1.old-20261101T000000Z, tank/guests/web1.redeploy"
    stays = "kept: tank/guests/web1:data; add -e guest_remove_disks=web1:data to destroy it"
    assert deployment.removal_table({**asked, **done})[2:4] == ["gone " + gone, stays]
    assert deployment.removal_table({**asked, **done, "check": True})[2:4] == ["goes " + gone, stays]
    done["volumes"]["guests"]["web1:.redeploy"] = {"failed": True, "msg": "a clone is made of it"}
    assert deployment.removal_table({**asked, **done})[2] == "gone with web1: tank/guests/web1.old-20261101T000000Z"
    assert deployment.removal_failures({**asked, **done}) == ["web1: a clone is made of it"]


@pytest.mark.parametrize(("old", "more", "why"), [
    ({**OLD, "guid": None}, {}, "not made from an image"),
    (OLD, {"domains_found": {"domains": [{"name": "rescue", "managed": None, "disks": [{"source": OLD["device"]}]}]}}, "used by domain rescue"),
    (OLD, {"definitions": {"web2": {"disks": {"old": {"dataset": OLD["dataset"]}}}}}, "a disk of guest web2"),
])
def test_what_somebody_else_has_stays_and_is_told(old, more, why):
    asked = removal_of([old], **more)
    assert list(deployment.removal_options(asked, "volumes")) == ["web1"]
    told_kept = "kept: %s, %s; `-e guest_prune_names=%s` with apiary.bhyve.prune removes it" % (OLD["dataset"], why, OLD["dataset"])
    assert told_kept in deployment.removal_table(asked)


def test_data_disks_of_a_guest_that_nobody_knows_are_those_that_are_there():
    asked = removal_of([there("web1:data", guid=None), there("web11:data", guid=None)], remove_disks="web1:data")
    assert deployment.removal_problems(asked) == [] and list(deployment.removal_options(asked, "volumes")) == ["web1", "web1:data"]
    # One that a dictionary names and nobody has made is not kept.
    asked = removal_of([], {"web1": {"disks": {"data": {"size": "1G"}}}})
    assert not [line for line in deployment.removal_table(asked) if "kept:" in line] and deployment.removal_problems(asked) == []


def test_nothing_goes_of_a_host_whose_disks_are_not_known():
    asked = {**removal_of([]), "disks": {"failed": False, "failed_when_result": False, "msg": "no pool"}}
    assert [deployment.removal_options(asked, phase) for phase in ("domains", "seeds", "volumes")] == [{}, {}, {}]
    assert deployment.removal_failures(asked) == ["web1: looking for its disks: no pool"]
    assert deployment.removal_table(asked)[1].split() == ["web1", *["kept"] * 3]


def test_a_guest_that_has_failed_is_left_out_of_what_follows_and_told():
    guests = {name: {**GUEST, "seed": {}} for name in ("web1", "web2", "web3")}
    phases = {
        "images": {"guests": {"web1": {"failed": True, "msg": "no such image"}, "web2": {"image": IMAGE}, "web3": {"image": IMAGE}}},
        "volumes": {"guests": {"web2": {"failed": True, "msg": "no space"}, "web3": {"volume": {"device": "/dev/web3"}}}},
    }
    before = told(guests, **phases)
    assert list(deployment.deployment_options(before, "images")) == ["web1", "web2", "web3"]
    assert list(deployment.deployment_options(before, "volumes")) == ["web2", "web3"]
    assert list(deployment.deployment_options(before, "domains")) == ["web3"]
    assert deployment.deployment_failures(before) == ["web1: no such image", "web2: no space"]
    table = [line.split()[:2] for line in deployment.deployment_table(before)[1:4]]
    assert table == [["web1", "failed"], ["web2", "failed"], ["web3", "-"]]


def test_faults_of_the_check_are_failures_from_the_beginning():
    guests = {"web1": {**GUEST, "template": "own"}, "web2": {**GUEST, "template": "own"}, "web3": GUEST}
    before = told(guests, ["web1", "web2"], faults={"web1": ["'memory' is 2048 bytes"]})
    assert [list(deployment.deployment_options(before, phase)) for phase in ("drafts", "images")] == [["web2"], ["web2"]]
    assert deployment.deployment_failures(before) == ["web1: 'memory' is 2048 bytes"]
    assert deployment.deployment_refusal(before) == []
    assert deployment.deployment_refusal({**before, "names": "web1"}) == ["web1: 'memory' is 2048 bytes"]
    assert deployment.deployment_refusal(told({})) == []
    broken = {**told({}), "definitions": ["web1"], "faults": {"": ["bhyve_guests must be a dictionary"]}}
    assert deployment.deployment_refusal(broken) == ["bhyve_guests must be a dictionary"]


def test_the_table_shows_time_newer_images_and_what_is_due():
    domains = {"web1": took(3.5, domain={"state": "running", "restart_required": True}), "web2": took(0.5, domain={"state": "running"})}
    domains["web1"]["timings"]["wait"] = {"seconds": 3.0}
    lines = deployment.deployment_table(told(
        {"web1": GUEST, "web2": GUEST},
        images=took(2.0, guests={"web1": took(2.0, image=IMAGE, newer="20260601"), "web2": {"image": IMAGE}}),
        volumes=took(1.5, guests={"web1": took(1.0, volume={"device": "/v/1"}, changed=True), "web2": took(1.0, volume={"device": "/v/2"})}),
        domains=took(3.5, guests=domains),
        domains_found={"domains": [
            {"name": "old", "state": "running", "managed": {}}, {"name": "theirs", "state": "running", "managed": None},
            {"name": "web1", "state": "running", "managed": {}},
        ]},
    ))
    assert [" ".join(line.split()) for line in lines] == [
        "guest state image volume fetch receive seed domain wait changed note",
        "web1 running demo-1 /v/1 2.00 1.00 0.00 0.50 3.00 yes newer: 20260601, restart due",
        "web2 running demo-1 /v/2 0.00 1.00 0.00 0.50 0.00 no",
        "old running - - - - - - - - in no bhyve_guests of this host",
        "7.00 seconds on the host for 2 guests, 7.30 seen from the controller",
    ]


def unmet(image, template="uefi", **guest):
    return deployment.deployment_failures(told({"web1": {**GUEST, **guest}}, place={"template": template}, images=images(web1=image)))


def test_needs_of_images_are_held_against_their_guests():
    assert unmet({}) == [] and unmet({"min_memory": None, "loader": None}) == []
    assert unmet({"min_memory": 1 << 30}, memory="1G") == []
    assert unmet({"min_memory": 1 << 30}, memory="512M") == ["web1: image demo needs 1073741824 bytes of memory, found memory: 512M"]
    assert unmet({"loader": "uefi"}) == [] and unmet({"loader": "bhyveload"}, template="loader") == []
    assert unmet({"loader": "uefi"}, template="loader") == [
        "web1: image demo is booted by uefi, found template: loader, expected uefi"
    ]
    for own in ("qemu", "/etc/site/own.xml.j2"):
        assert unmet({"loader": "bhyveload"}, template=own) == []


@pytest.mark.parametrize(("image_os", "family"), [
    ("freebsd", "freebsd"), ("FreeBSD-14.2", "freebsd"), ("debian-12", "linux"), ("linux", "linux"), ("", None), (None, None), ("openbsd", None),
])
def test_the_family_of_a_seed_follows_from_the_image(image_os, family):
    assert seed_family(image_os) == family


def test_an_image_of_a_strange_system_asks_for_the_family():
    assert unmet({"os": "openbsd"}, seed={"hostname": "a"}) == [
        "web1: the os of image demo is openbsd, which does not say who reads a seed: write `family` into the guest's seed"
    ]
    assert unmet({"os": "openbsd"}) == unmet({"os": "openbsd"}, seed={"family": "linux"}) == []


def test_the_seed_of_a_guest_whose_image_is_forgotten_stays():
    guests = {"web1": {**GUEST, "seed": {"hostname": "a"}}}
    forgotten = {"guests": {"web1": {"image": {"name": "demo", "version": "1", "path": "/store/demo-1.pkg", "guid": "7"}}}}
    assert deployment.deployment_options(told(guests, images=forgotten), "seeds") == {}
    guests["web1"]["seed"]["family"] = "freebsd"
    assert list(deployment.deployment_options(told(guests, images=forgotten), "seeds")) == ["web1"]


def host(*guests, **found):
    domains = [{"name": name, "state": state, "managed": {}} for name, state in found.items()]
    return {"bhyve_guests": {name: GUEST for name in guests}, "guest_domains_found": {"domains": domains}}


def test_a_guest_that_has_moved_does_not_run_twice():
    hostvars = {"hv1": host(web1="running", web3="shutoff"), "hv2": host("web1", "web2", "web3"), "hv3": {}}
    assert deployment.guests_elsewhere(hostvars, list(hostvars)) == {"hv1": {}, "hv2": {"web1": "hv1"}, "hv3": {}}
    assert deployment.guests_elsewhere(hostvars, ["hv2"]) == {}
    before = told({"web1": GUEST, "web2": GUEST}, elsewhere={"web1": "hv1"})
    assert list(deployment.deployment_options(before, "images")) == ["web2"]
    (failure,) = deployment.deployment_failures(before)
    assert failure.startswith("web1: it still runs on hv1, whose bhyve_guests has it no more")


def test_hosts_outside_the_play_are_asked_where_a_guest_is_to_be_started():
    hostvars = {"hv1": host("web1", "web2", web1="running"), "hv2": {"bhyve_guests": {"db1": GUEST}}, "hv3": {}, "web1": {}}
    groups = {"all": list(hostvars), "bhyve_guests": ["web1"]}
    assert deployment.hosts_to_ask(hostvars, groups, ["hv1"]) == ["hv2"]
    assert deployment.hosts_to_ask(hostvars, {**groups, "bhyve_hypervisors": ["hv1", "hv2", "hv3"]}, ["hv1"]) == ["hv2", "hv3"]
    # One that was looked at by an earlier batch has been asked already.
    assert deployment.hosts_to_ask({**hostvars, "hv2": host("db1")}, groups, ["hv1"]) == []
    for quiet in (host("web1", web1="running"), host(), {"bhyve_guests": {"web1": {**GUEST, "state": "shutoff"}}, "guest_domains_found": {}}):
        assert deployment.hosts_to_ask({**hostvars, "hv1": quiet}, groups, ["hv1"]) == []


def test_what_they_answer_counts_and_who_is_silent_is_told():
    answer = {"item": "hv2", "domains": [{"name": "web1", "state": "running", "managed": {}}, {"name": "db1", "state": "running", "managed": {}}]}
    asked = {"results": [answer, {"item": "hv3", "unreachable": True, "msg": "no route"}, {"item": "hv4", "failed": True, "msg": "no libvirt"}]}
    hostvars = {"hv1": host("web1", "db1"), "hv2": {"bhyve_guests": {"db1": GUEST}}, "hv3": {}, "hv4": {}}
    assert deployment.guests_elsewhere(hostvars, ["hv1"], asked) == {"hv1": {"web1": "hv2"}}
    assert deployment.hosts_silent(asked) == ["hv3", "hv4"]
    assert deployment.hosts_silent({"skipped": True, "results": []}) == []
    *_table, silent, _total = deployment.deployment_table(told({"web1": GUEST}, silent=["hv3", "hv4"]))
    assert silent == "it is not known whether one of these guests still runs on hv3, hv4, which did not answer"


def test_names_that_nobody_has_are_told_with_those_there_are():
    hostvars = {"hv1": host("web1", old="running"), "hv2": host("web2", web1="running"), "hv3": {}}
    assert deployment.guests_here(hostvars, "hv1") == ["old", "web1"]
    assert deployment.naming_problems(hostvars, list(hostvars), ["web2", "old"]) == []
    assert deployment.naming_problems(hostvars, list(hostvars), "web2, wbe4") == [
        "looking for guests: expected names of guests of these hosts, found wbe4; they have: old, web1, web2"
    ]
    assert deployment.naming_problems(hostvars, ["hv3"], "a") == [
        "looking for guests: expected names of guests of these hosts, found a; they have: none"
    ]
    assert deployment.naming_problems(hostvars, list(hostvars), "web1", True) == ["web1 is on hv1 and hv2: say which one is meant with --limit"]
    assert deployment.naming_problems(hostvars, ["hv1"], "web1", True) == []


def test_a_guest_whose_domain_stays_keeps_the_rest_and_nobody_else():
    gone, bad = {"changed": True}, {"changed": False, "failed": True, "msg": "it hangs"}
    told = {"names": "web1, web2 web3", "place": PLACE, "domains": {"guests": {"web1": gone, "web2": bad, "web3": {"changed": False}}}}
    assert list(deployment.removal_options(told, "domains")) == ["web1", "web2", "web3"]
    assert deployment.removal_options(told, "seeds") == {"web1": {"path": "/seeds/web1.seed"}, "web3": {"path": "/seeds/web3.seed"}}
    assert deployment.removal_options(told, "volumes") == {"web1": {"dataset": "tank/guests/web1"}, "web3": {"dataset": "tank/guests/web3"}}
    told["seeds"] = {"guests": {"web1": gone, "web3": {"failed": True, "msg": "not a seed"}}}
    told["volumes"] = {"guests": {"web1": gone, "web3": gone, "web3:data": {"failed": True, "msg": "in use"}}}
    assert deployment.removal_failures(told) == ["web2: it hangs", "web3: not a seed; in use"]
    assert [line.split() for line in deployment.removal_table(told)] == [
        ["guest", "domain", "seed", "volume"], ["web1", "removed", "removed", "removed"], ["web2", "kept", "kept", "kept"],
        ["web3", "none", "kept", "kept"], ["1", "of", "3", "guests", "removed"],
    ]
    assert deployment.removal_table({**told, "check": True})[1].split() == ["web1", *["to", "go"] * 3]
    assert deployment.removal_table({"names": [], "place": PLACE}) == []


def test_what_is_left_of_a_guest_is_known_by_its_mark():
    seeds = {"guests": {"web1": {"changed": True}, "web2": {"changed": False}, "web4": {"failed": True, "msg": "not a seed"}}}
    clone, own = ({"dataset": "tank/guests/web", "origin": origin} for origin in ("tank/images/demo-1@image", "tank/theirs@backup"))
    volumes = {"guests": {
        "web1": {"changed": False, "volumes": []}, "web2": {"changed": True, "volumes": [clone]}, "web3": {"changed": True, "volumes": [own]},
        "web4": {"changed": False, "volumes": []}, "web5": {"changed": True, "volumes": [{"dataset": "tank/guests/web", "origin": None}]},
        "web6:data": {"changed": True, "volume": {"device": "/guests/web6:data.raw"}},
    }}
    hostvars = {"hv1": {"guest_seeds_left": seeds, "guest_volumes_left": volumes}, "hv2": {"guest_domains_found": {"failed": True}}}
    assert deployment.guests_here(hostvars, "hv1") == ["web1", "web2", "web6"]
    # By their names alone: what redeploys have kept, and data disks; not of a guest that was not asked for.
    left = [OLD, there("web4:data", guid=None), there("web5.redeploy", "staged", "web5", guid=None), there("web99:data", guid=None)]
    asked = {"guest_volumes_left": {"guests": {name: {"changed": False} for name in ("web1", "web4", "web5")}}, "guest_disks_left": {"volumes": left}}
    assert deployment.guests_here({"hv1": asked}, "hv1") == ["web1", "web4"]
    files = [{**OLD, "name": "web1.raw.old-20261101T000000Z", "of": "web1.raw"}, {**there("web4:data.raw", guid=None)}]
    assert deployment.guests_here({"hv1": {**asked, "guest_disks_left": {"volumes": files}}}, "hv1") == ["web1", "web4"]
    assert deployment.guests_here({"hv1": {**asked, "guest_disks_left": {"msg": "no ZFS"}}}, "hv1") == []
    (problem,) = deployment.naming_problems(hostvars, ["hv1", "hv2"], "web1 web2 web3 web4 web7", True)
    assert problem.startswith("looking for guests: expected names of guests of these hosts, found web3, web4, web7; they have: web1, web2, web6; ")
    assert "not asked, because they failed: hv2; web4 on hv1: not a seed; web3 on hv1: tank/guests/web is there, but is no clone" in problem


def test_who_is_to_be_removed_from_which_host():
    hostvars = {"hv1": host("web1", old="running"), "hv2": host("web2"), "hv3": {}, "hv4": {"bhyve_guests": ["web4"]}}
    remove = [deployment.guests_to_remove(hostvars, name, "old web2,web2") for name in ("hv1", "hv2", "hv3")]
    assert remove == [["old"], ["web2"], []]
    assert [deployment.guests_to_remove(hostvars, name, ["all"]) for name in ("hv1", "hv3")] == [["web1"], []]
    assert deployment.guests_unknown(hostvars, ["hv1", "hv2"], "old, web3") == ["web3"]
    assert deployment.guests_unknown(hostvars, ["hv1", "hv2"], "all") == deployment.naming_problems(hostvars, ["hv1"], "all", True) == []
    with pytest.raises(AnsibleFilterError, match="guests of hv4: expected bhyve_guests to be a dictionary"):
        deployment.guests_to_remove(hostvars, "hv4", "all")
