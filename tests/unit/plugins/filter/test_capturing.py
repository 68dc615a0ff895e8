# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a capture asks of modules, and what it tells."""

from __future__ import annotations

import pytest
from ansible_collections.apiary.bhyve.plugins.filter.capturing import catalogue_of, capture_failures, capture_options, capture_table

PLACE = {"folder": "", "dataset": "tank/vm", "golden": "tank/images", "seeds": "/seeds", "template": "uefi"}
CATALOGUE = {"bhyve_catalog_path": "/repo", "bhyve_catalog_signing_key": "/key"}
KNOWN = {"os": "freebsd", "arch": "amd64", "loader": "uefi", "min_memory": 1 << 29, "disk_driver": None}


def told(state="running", names="web1", **more):
    asked = {"image": "set-up-1", "options": {}, "repository": "repo", "catalogue": CATALOGUE, "host": "hv1", "check": False, "stop": False, "wait_timeout": 5}
    asked.update({key: more.pop(key) for key in list(more) if key in asked})
    domains = [{"name": name, "state": state, "managed": {}} for name in ("web1", "web2")]
    return {
        "verb": "capture", "names": names, "definitions": {"web1": {"image": "base"}, "web2": {"image": "base"}}, "place": more.pop("place", PLACE),
        "domains_found": {"domains": domains}, "asked": asked, **more,
    }


def answered(**answer):
    """What a task has registered that fails for nobody."""
    said = answer if "msg" in answer else {"catalogue": {}, **answer}
    return {"results": [{"item": {"guest": "web1"}, "failed": False, **said}]}


NEW, THERE = answered(changed=False), answered(changed=False, image={"size": 1 << 20})


def test_what_is_published():
    [call] = capture_options(told(images={"guests": {"web1": {"image": KNOWN}}}), "announced")
    assert call == {"guest": "web1", "options": {
        "path": "/repo", "signing_key": "/key", "name": "set-up", "version": "1", "source": "tank/vm/web1", "source_host": "hv1", "os": "freebsd",
        "arch": "amd64", "requirements": {"memory": 1 << 29, "loader": "uefi"},
    }}
    own = {"labels": {"team": "web"}, "requirements": {"memory": "1G"}}
    [call] = capture_options(told(options=own, place=dict(PLACE, folder="/vm")), "announced")
    assert call["options"]["annotations"] == {"team": "web"} and call["options"]["requirements"] == {"memory": "1G"}
    assert call["options"]["source"] == "/vm/web1.raw" and "os" not in call["options"]
    assert capture_options(told(), "images") == {"web1": {"dataset": "tank/vm/web1", "name": "base"}}
    assert catalogue_of({"repo": {**CATALOGUE, "more": 1}}, "repo") == CATALOGUE and catalogue_of({}, "repo") == {}


def test_who_is_stopped_and_started():
    # What is in the catalogue is not captured again, and nobody is stopped for it.
    assert capture_options(told(announced=THERE), "captured") == [] and capture_options(told(announced=THERE, stop=True), "stopped") == {}
    assert len(capture_options(told(announced=NEW), "captured")) == 1 and capture_options(told(announced=NEW), "stopped") == {}
    stopping = told(announced=NEW, stop=True)
    assert capture_options(stopping, "stopped") == {"web1": {"state": "shutoff"}}
    # It is started whatever has become of the image, also by the call after one that was cut.
    failed = dict(stopping, stopped={"guests": {"web1": {"changed": True}}}, captured=answered(msg="full"))
    for given in (failed, told("shutoff", announced=THERE, stop=True)):
        assert capture_options(given, "started") == {"web1": {"state": "running"}}
    assert capture_options(told(announced=NEW), "started") == {}
    assert capture_failures(failed) == ["web1: it is off: full"]
    assert capture_failures(dict(failed, started={"guests": {"web1": {"changed": True}}})) == ["web1: full"]


@pytest.mark.parametrize("given, expected", [
    ({"names": "web1,web2"}, "web1: an image is made of one guest: expected one name in guest_names, found web1, web2"),
    ({"repository": ""}, "web1: expected a host in the group bhyve_repository"),
    ({"catalogue": {}}, "web1: publishing on repo: expected bhyve_catalog_path and bhyve_catalog_signing_key to be set"),
    ({"image": "set-up"}, "web1: image set-up: it has no version"),
    ({"options": {"size": 1}}, "web1: image set-up-1: unknown key 'size'"),
    ({"place": dict(PLACE, folder="/vm"), "announced": NEW}, "web1: it is running, and its disk is a file"),
    ({"announced": answered(msg="no")}, "web1: no"),
    ({"announced": NEW, "stop": True, "stopped": {"msg": "no libvirt"}}, "web1: no libvirt"),
])
def test_what_is_refused_before_anything_is_done(given, expected):
    refused = told(**given)
    assert capture_failures(refused)[0].startswith(expected)
    assert capture_options(refused, "captured") == []


def test_how_it_went():
    done = told(announced=NEW, captured=answered(changed=True, image={"size": 3 << 20}))
    rows = capture_table(done)
    assert rows[1].split()[:3] == ["web1", "set-up-1", "changed"] and "taken while it ran" in rows[1] and "package of 3.0 MiB" in rows[1]
    assert rows[-1] == "`image: set-up-1` in an entry of bhyve_guests makes a guest of it"
    [dummy, row, dummy] = capture_table(told(announced=THERE))
    assert "unchanged" in row and "is in the catalogue already" in row
    # A file that is there already is no reason to refuse a guest that runs.
    assert capture_failures(told(place=dict(PLACE, folder="/vm"), announced=THERE)) == []
