# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has been left on a host: what goes, what stays, and what is not looked at."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleError
from ansible_collections.apiary.bhyve.plugins.filter.pruning import guests_of_inventory, pruning_options, pruning_table, pruning_unknown, unknown_to_all

PLACE = {"folder": "", "dataset": "t/g", "golden": "t/i", "seeds": "/seeds", "template": "uefi"}


def volume(name, part="own", of=None, folder="t/g", guid="7", used=1 << 20, **more):
    dataset = "%s/%s" % (folder, name)
    return {"name": name, "dataset": dataset, "path": None, "device": "/dev/zvol/" + dataset, "part": part, "of": of, "guid": guid, "used": used,
            "keep_until": None, "expired": False, "clones": [], "held": [], **more}


def old(name, date="20261101T000000Z", until="2026-11-08T00:00:00Z", expired=True, **more):
    return volume("%s.old-%s" % (name, date), "kept", name, keep_until=until, expired=expired, **more)


def golden(name, clones=()):
    return volume(name, folder="t/i", clones=list(clones))


def told(volumes=(), goldens=(), store=(), **more):
    stored = [{"name": name, "version": version, "size": 1 << 21} for name, version in store]
    return {
        "place": PLACE, "definitions": {"web1": {"image": "demo"}}, "inventory": {"names": ["web1", "far1"], "unreadable": []},
        "domains_found": {"domains": [{"name": "web1", "disks": [{"source": "/dev/zvol/t/g/web1"}]}]},
        "volumes_found": {"volumes": list(volumes)}, "golden_found": {"volumes": list(goldens)}, "images_found": {"store": stored}, **more,
    }


def goes(asked, phase="volumes"):
    return list(pruning_options(asked, phase))


def why(asked, name):
    return next(line for line in pruning_table(asked) if name in line)


def test_what_is_past_its_date_goes():
    asked = told([volume("web1"), old("web1"), old("web1", "20261102T000000Z", "2026-12-09T00:00:00Z", expired=False)])
    assert goes(asked) == ["t/g/web1.old-20261101T000000Z"] and goes(asked, "seeds") == []
    assert pruning_table(asked)[1].split() == "goes 1.0M t/g/web1.old-20261101T000000Z kept until 2026-11-08".split()
    assert pruning_table(asked)[2].startswith("stays") and pruning_table(asked)[3] == "1 to go, 1.0M" and len(pruning_table(asked)) == 4
    assert pruning_table({**asked, "check": True})[-1] == "1 would go, 1.0M"


@pytest.mark.parametrize(("kept", "reason"), [
    (old("web1", until=None, expired=False), "kept without a date; -e guest_prune_names=t/g/web1.old-"),
    (old("web1", clones=["t/g/copy"]), "clones are made of it: t/g/copy"),
    (old("web1", held=["t/g/web1.old@a"]), "held: see `zfs holds t/g/web1.old@a`"),
])
def test_what_stays_says_why(kept, reason):
    asked = told([volume("web1"), kept])
    assert goes(asked) == [] and reason in why(asked, "web1.old-")


def test_a_kept_disk_that_a_domain_has_stays():
    asked = told([volume("web1"), old("web1")], domains_found={"domains": [{"name": "rescue", "disks": [{"source": "/dev/zvol/t/g/web1.old-20261101T000000Z"}]}]})
    assert goes(asked) == [] and "used by domain rescue" in why(asked, "web1.old-")


@pytest.mark.parametrize("there", [
    [old("web1")],
    [volume("web1", swap="back"), old("web1")],
    [volume("web1"), old("web1", swap="back")],
])
def test_what_an_exchange_that_was_cut_may_bring_back_stays(there):
    assert goes(told(there)) == [] and "a redeploy of its guest is not over" in why(told(there), "web1.old-")
    assert goes(told(there, names=there[-1]["name"])) == ["t/g/web1.old-20261101T000000Z"]


def test_what_was_made_ready_stays_where_it_is_what_tells_of_an_exchange_that_was_cut():
    def staged(**more):
        return volume("web1.redeploy", "staged", "web1", **more)

    cut = told([old("web1"), staged(swap="new")], orphans=True)
    assert goes(cut) == [] and "a redeploy of its guest that is not over" in why(cut, "web1.redeploy")
    assert goes({**cut, "names": "web1.redeploy"}) == ["t/g/web1.redeploy"]
    for there in ([volume("web1"), staged(swap="new")], [staged(swap=None)]):
        assert goes(told(there, orphans=True)) == ["t/g/web1.redeploy"] and goes(told(there)) == []


def test_what_was_kept_of_a_guest_that_nobody_knows_goes():
    assert goes(told([old("gone")])) == ["t/g/gone.old-20261101T000000Z"]


def test_a_volume_that_a_guest_attaches_is_no_orphan():
    disks = {"one": {"dataset": "t/g/oldweb"}, "two": {"size": "1G"}, "three": {"path": "/dev/zvol/t/g//more"}}
    asked = told([volume("oldweb"), volume("more"), volume("gone")], orphans=True, definitions={"db1": {"image": "demo", "disks": disks}})
    assert goes(asked) == ["t/g/gone"]


def test_orphans_go_where_that_is_asked_for_and_data_disks_where_they_are_named():
    there = [volume("web1"), volume("far1"), volume("gone"), volume("gone:data", guid=None), volume("gone2:data"), volume("foreign", guid=None)]
    assert goes(told(there)) == [] and "guest_prune_orphans=true" in why(told(there), "t/g/gone ")
    asked = told(there, orphans=True)
    assert goes(asked) == ["t/g/gone"] and pruning_options(asked, "seeds") == {"gone": {"path": "/seeds/gone.seed"}}
    assert "guest_prune_names=t/g/gone:data" in why(asked, "t/g/gone:data")
    asked = told(there, names="gone:data, t/g/foreign,nothing")
    assert goes(asked) == ["t/g/gone:data", "t/g/foreign"] and pruning_unknown(asked) == ["nothing"]
    # A volume that could not be removed keeps its seed.
    assert pruning_options({**told(there, orphans=True), "volumes": {"guests": {"t/g/gone": {"failed": True}}}}, "seeds") == {}


def test_what_is_used_does_not_go_by_its_name_either():
    asked = told([volume("web1"), volume("web1:data", guid=None), volume("far1")], names="web1,web1:data,far1", orphans=True)
    assert goes(asked) == ["t/g/web1:data"]
    asked["definitions"] = {"web1": {"image": "demo", "disks": {"data": {"size": "1G"}}}}
    assert goes(asked) == [] and "used: it is a guest's disk" in why(asked, "t/g/web1:data")
    assert pruning_table(told([volume("web1"), volume("web1:data", guid=None)]))[-1] == "0 to go, 0B"
    assert pruning_table(told([volume("web1")])) == ["0 to go, 0B"]


def test_who_may_be_named_in_a_dictionary_that_cannot_be_read_is_no_orphan():
    asked = told([volume("gone")], orphans=True, inventory={"names": [], "unreadable": ["hv2"]})
    assert goes(asked) == [] and "the bhyve_guests of hv2 cannot be read" in why(asked, "t/g/gone")

    class Unreadable(dict):
        def get(self, key, default=None):
            raise AnsibleError("undefined")

    hostvars = {"hv1": {"bhyve_guests": {"b": {}, 1: {}}}, "hv2": Unreadable(), "hv3": {}, "hv4": {"bhyve_guests": ["a"]}}
    assert guests_of_inventory(hostvars) == {"names": ["1", "b"], "unreadable": ["hv2", "hv4"]}


def test_images_that_nobody_names_go_where_nothing_is_cloned_from_them():
    goldens = [golden("demo-9"), golden("demo-10"), golden("other-1", ["t/g/x"]), golden("exact-1"), golden("demo-2", ["t/g/gone"])]
    asked = told([volume("gone")], goldens, [("demo", "9"), ("demo", "10"), ("exact", "1")], orphans=True)
    asked["definitions"]["web2"] = {"image": "exact-1"}
    # One whose last clone goes is free then; in check mode it is only told.
    assert goes(asked, "golden") == ["t/i/demo-9", "t/i/demo-2"] and goes(asked, "images") == ["demo-9"]
    assert goes({**asked, "check": True}, "golden") == ["t/i/demo-9"] and why({**asked, "check": True}, "t/i/demo-2").startswith("goes")
    assert "demo-9 in the store" in why(asked, "in the store")
    assert goes({**asked, "inventory": {"unreadable": ["hv1"]}}, "golden") == []


def test_a_name_is_unknown_where_no_host_knows_it():
    assert unknown_to_all([["a", "b"], ["b", "c"], ["b"]]) == ["b"] and unknown_to_all([]) == [] and unknown_to_all([["a"]]) == ["a"]


def test_files_of_guests_have_a_suffix():
    there = {"name": "gone.raw", "dataset": None, "path": "/g/gone.raw", "device": "/g/gone.raw", "part": "own", "of": None, "guid": "7", "used": 5,
             "keep_until": None, "expired": False, "clones": [], "held": []}
    asked = told([there, {**there, "name": "web1.raw", "path": "/g/web1.raw", "device": "/g/web1.raw"}], place={**PLACE, "folder": "/g"}, orphans=True)
    assert pruning_options(asked, "volumes") == {"/g/gone.raw": {"path": "/g/gone.raw"}}
    assert pruning_options(asked, "seeds") == {"gone": {"path": "/seeds/gone.seed"}}
