# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds programs and documentation together: each program is asked which options and choices it knows."""

from __future__ import annotations

import importlib
import json
import pathlib
import re
import subprocess

import pytest
from ansible_collections.apiary.bhyve.plugins.module_utils._documented import load

TOP = pathlib.Path(__file__).resolve().parents[4]
# The programs that are modules: apiary holds them all. A server has no options to document, and either end of a move is told by an action.
TABLE = (TOP / "modules/apiary/src/programs.rs").read_text()
PROGRAMS = sorted(set(re.findall(r'^    \("(\w+)", ', TABLE, re.M)) - {"bhyve_catalog_server", "volume_stream"})
# Documented modules that are no programs.
OTHERS = {"job_status", "table", "volume_move"}
STRANGE = "no_program_knows_this"


def documentation(name):
    source = (TOP / "plugins" / "modules" / (name + ".py")).read_text()
    return load(re.search(r'^DOCUMENTATION = r?"""(.*?)^"""', source, re.M | re.S).group(1))


def levels(options, path=()):
    """Every level of options, with the path that leads to it."""
    yield path, options
    for name, option in options.items():
        if "suboptions" in option:
            inner = (name, option.get("type") == "list")
            yield from levels(option["suboptions"], (*path, inner))


def asked(apiary, module, path, option):
    """The module's message when an option, a pair of name and value, stands at `path`."""
    arguments = dict([option])
    for outer, is_list in reversed(path):
        arguments = {outer: [arguments] if is_list else arguments}
    stdin = json.dumps(dict(arguments, _ansible_module_name=module))
    done = subprocess.run([apiary, "-"], input=stdin, capture_output=True, text=True, check=False)
    return json.loads(done.stdout)["msg"]


def words(message):
    """The words a program offers: what stands in backquotes after `expected`, which is part of one of them, too."""
    return set(re.findall("`([^`]*)`", message.rpartition(", expected ")[2]))


def test_every_program_is_documented_and_has_its_action():
    documented = {path.stem for path in TOP.glob("plugins/modules/*.py")}
    assert documented == OTHERS | set(PROGRAMS)
    assert {path.stem for path in TOP.glob("plugins/action/*.py")} == documented | {"native"}


@pytest.mark.parametrize("name", PROGRAMS)
def test_an_action_knows_its_module(name):
    action = importlib.import_module("ansible_collections.apiary.bhyve.plugins.action." + name)
    assert action.ActionModule.module == name
    assert set(action.ActionModule.options.spec) == set(documentation(name)["options"])


@pytest.mark.parametrize("name", PROGRAMS)
def test_program_and_documentation_know_the_same_options(apiary, name):
    for path, options in levels(documentation(name)["options"]):
        message = asked(apiary, name, path, (STRANGE, 1))
        assert "unknown field `%s`" % STRANGE in message, (path, message)
        # What several guests have in one call is known to every program by itself.
        assert words(message) == set(options) - {"guests"}, path
    if "guests" in documentation(name)["options"]:
        assert asked(apiary, name, [("guests", False), ("web1", False)], (STRANGE, 1)).startswith("1 of 1 guest failed: web1: reading option ")


@pytest.mark.parametrize("name", PROGRAMS)
def test_program_and_documentation_know_the_same_choices(apiary, name):
    for path, options in levels(documentation(name)["options"]):
        for option in (option for option in options if "choices" in options[option]):
            value = [STRANGE] if options[option].get("type") == "list" else STRANGE
            message = asked(apiary, name, path, (option, value))
            assert "unknown variant `%s`" % STRANGE in message, (path, option, message)
            assert words(message) == set(options[option]["choices"]), (path, option)
