# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
import json
import types

import pytest
from ansible_collections.apiary.bhyve.plugins.plugin_utils._options import Options, encode

MODULE = types.SimpleNamespace(
    DOCUMENTATION="""
attributes: {progress: {support: full}}
options:
  name: {type: str, required: true, aliases: [label]}
  path: {type: path}
  paths: {type: list, elements: path, default: []}
  size: {type: int}
  state: {type: str, choices: [present, absent], default: present}
  force: {type: bool, default: false}
  token: {type: str}
  disks:
    type: list
    elements: dict
    suboptions:
      device: {type: path, required: true}
      slot: {type: int, default: 3, aliases: [number]}
      key: {type: str}
  any: {type: raw}
""",
    RULES={"no_log": ["token", "disks.key"], "mutually_exclusive": [["path", "size"]], "required_if": [["state", "absent", ["path"]]]},
)

ACCEPTED = [
    ({"name": "a"}, {"name": "a", "paths": [], "state": "present", "force": False}),
    ({"label": "a", "size": "7", "force": "yes"}, {"name": "a", "size": 7, "force": True, "paths": [], "state": "present"}),
    (
        {"name": "a", "path": "~/x$HOME", "paths": "~/a,b"},
        {"name": "a", "path": "~/x$HOME", "paths": ["~/a", "b"], "state": "present", "force": False},
    ),
    (
        {"name": 5, "disks": [{"device": "d", "number": "4"}, {"device": "e"}], "any": {"b": [None, 1]}},
        {
            "name": "5",
            "disks": [{"device": "d", "slot": 4}, {"device": "e", "slot": 3}],
            "any": {"b": [None, 1]},
            "paths": [],
            "state": "present",
            "force": False,
        },
    ),
]

REFUSED = [
    ({}, "missing required arguments: name"),
    ({"name": "a", "sise": 1}, "unknown option sise; did you mean size?"),
    ({"name": "a", "colour": 1}, "unknown option colour, expected one of any, disks, force, name, path, paths, size, state, token"),
    ({"name": "a", "disks": [{"device": "d", "slt": 1}]}, "unknown option disks.slt; did you mean slot?"),
    ({"name": "a", "disks": [{"slot": 1}]}, "missing required arguments: device found in disks"),
    ({"name": "a", "state": "gone"}, "value of state must be one of: present, absent, got: gone"),
    ({"name": "a", "path": "x", "size": 1}, "parameters are mutually exclusive: path|size"),
    ({"name": "a", "state": "absent"}, "state is absent but all of the following are missing: path"),
    # Said in words, not by Python's names of types.
    ({"name": "a", "size": "big"}, "option size must be a whole number, found 'big'"),
    ({"name": "a", "force": "perhaps"}, "option force must be true or false, found 'perhaps'"),
    ({"name": "a", "force": [True]}, "option force must be true or false, found a list"),
    ({"name": "a", "paths": {"b": 1}}, "option paths must be a list, found a dictionary"),
    ({"name": "a", "disks": "sda"}, "option disks must be a list of which each is a dictionary, found text"),
    ({"name": "a", "disks": ["sda", "sdb"]}, "option disks must be a list of which each is a dictionary, found text"),
    ({"name": "a", "disks": [{"device": "d", "slot": "first"}]}, "option disks.slot must be a whole number"),
]


@pytest.mark.parametrize("given, canonical", ACCEPTED)
def test_arguments_become_canonical(given, canonical):
    assert Options(MODULE).judge(given) == (canonical, set(), "")


@pytest.mark.parametrize("given, message", REFUSED)
def test_a_wrong_argument_is_named(given, message):
    assert Options(MODULE).judge(given)[2] == message


class Vaulted:
    """What inline vaulted text is before ansible-core 2.19."""

    __ENCRYPTED__ = True

    def __str__(self):
        return "opened"


def test_vaulted_text_is_text():
    given = {"name": Vaulted(), "paths": [Vaulted()], "token": Vaulted(), "any": {"deep": [Vaulted()]}}
    canonical, secrets, wrong = Options(MODULE).judge(given)
    assert (canonical["name"], canonical["paths"], canonical["any"]) == ("opened", ["opened"], {"deep": ["opened"]})
    assert (secrets, wrong) == ({"opened"}, "")


GUESTS = types.SimpleNamespace(
    DOCUMENTATION="""
options:
  name: {type: str}
  size: {type: int, default: 3}
  token: {type: str}
  guests: {type: dict}
""",
    RULES={"no_log": ["token"], "required_one_of": [["name", "guests"]], "mutually_exclusive": [["name", "guests"]]},
    GUEST="name",
)


def test_each_of_several_guests_has_options_of_its_own():
    options = Options(GUESTS)
    given = {"size": "4", "token": "secret", "guests": {"web1": None, 2: {"size": 5, "token": "own"}}}
    canonical, secrets, wrong = options.judge(given)
    assert canonical == {
        "guests": {"web1": {"name": "web1", "size": 4, "token": "secret"}, "2": {"name": "2", "size": 5, "token": "own"}}
    }
    assert (secrets, wrong) == ({"secret", "own"}, "")
    assert options.judge({"name": "one"})[0] == {"name": "one", "size": 3}
    assert options.judge({"guests": {}})[0] == {"guests": {}}
    assert options.answer_for_nobody({"guests": {}})["guests"] == {}
    assert options.answer_for_nobody({"guests": {"web1": {}}}) is options.answer_for_nobody({"name": "web1"}) is None


@pytest.mark.parametrize(("given", "message"), [
    ({"guests": {"web1": {"sise": 1}, "web2": {}}}, "guest web1: unknown option sise; did you mean size?"),
    ({"guests": {"web1": {"guests": {}}}}, "guest web1: unknown option guests, expected one of name, size, token"),
    ({"guests": ["web1"]}, "'guests' must be a dictionary with the options of each guest by its name, found a list"),
    ({"guests": {"web1": "big"}}, "guest web1: its options must be a dictionary, found text"),
    ({}, "one of the following is required: name, guests"),
])
def test_what_is_wrong_with_one_of_several_guests_names_it(given, message):
    assert Options(GUESTS).judge(given)[2] == message


def test_secrets_are_found_and_never_repeated():
    given = {"name": "a", "token": "hush", "state": "hush", "disks": [{"device": "d", "key": "deep"}]}
    _canonical, secrets, wrong = Options(MODULE).judge(given)
    assert secrets == {"hush", "deep"}
    assert "hush" not in wrong and "state" in wrong


def test_long_work_is_documented():
    assert Options(MODULE).long
    assert not Options(types.SimpleNamespace(DOCUMENTATION="options: {}")).long


def test_one_line_of_json_whatever_yaml_made():
    value = {"day": datetime.date(2026, 11, 22), "text": "ä\n"}
    line = encode(value)
    assert b"\n" not in line and json.loads(line) == {"day": "2026-11-22", "text": "ä\n"}
