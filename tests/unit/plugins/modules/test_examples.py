# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every example of the documentation: of the modules' pages, the guides, the roles and the README."""

from __future__ import annotations

import importlib
import json
import subprocess

import pytest
import yaml
from ansible_collections.apiary.bhyve.tests.examples.documented import TEXTS, TOP, blocks, of_page

COLLECTION = "apiary.bhyve."
MODULES = sorted(path.stem for path in TOP.glob("plugins/modules/*.py"))

# What the examples' templates stand for, as in a play.
TEMPLATES = {
    "{{ admin_key }}": "ssh-ed25519 AAAA admin",
    "{{ copied.volume.since }}": {"snapshot": "apiary-move-20261129T140000Z", "guid": "7119270074782723516", "properties": {}},
    "{{ bhyve_catalog_signing_key }}": "/root/images.key",
    "{{ fetch.ansible_job_id }}": "0123456789abcdef",
    "{{ fetched.image.guid }}": 1,
    "{{ guest_deployment | apiary.bhyve.deployment_table }}": ["guest  state"],
    "{{ guest_deployment | apiary.bhyve.deployment_failures }}": [],
    "{{ fetched.image.path }}": "/var/db/apiary/images/x.pkg",
    "{{ lookup('ansible.builtin.file', 'keys/ada.pub') }}": "ssh-ed25519 AAAA ada",
    **{"{{ fetched.guests.%s.image.path }}" % guest: "/var/db/apiary/images/a-1.pkg" for guest in ("web2", "db2")},
    **{"{{ fetched.guests.%s.image.guid }}" % guest: "7119270074782723516" for guest in ("web2", "db2")},
    "{{ lookup('ansible.builtin.template', 'web1.xml.j2') }}": "<domain><name>web1</name></domain>",
    "{{ lookup('ansible.builtin.template', 'web2.xml.j2') }}": "<domain><name>web2</name></domain>",
}


def filled(value):
    """A task's arguments with their templates filled in; one that nobody thought of is an error."""
    if isinstance(value, dict):
        return {key: filled(each) for key, each in value.items()}
    if isinstance(value, list):
        return [filled(each) for each in value]
    return TEMPLATES[value] if isinstance(value, str) and "{{" in value else value


def calls(tree):
    """Every call of a module of ours in a document, as (module, arguments)."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            name = str(key).removeprefix(COLLECTION)
            if key == COLLECTION + name and name in MODULES:
                yield name, filled(value or {})
            else:
                yield from calls(value)
    elif isinstance(tree, list):
        for each in tree:
            yield from calls(each)


def examples(name):
    return yaml.safe_load(of_page(TOP / "plugins" / "modules" / (name + ".py")))


def plays(path):
    return [yaml.safe_load(block) for language, block in blocks(path.read_text()) if language == "yaml"]


def judged(name, arguments):
    action = importlib.import_module("ansible_collections.apiary.bhyve.plugins.action." + name).ActionModule
    canonical, _secrets, wrong = action.options.judge(arguments)
    assert wrong == "", (name, arguments)
    return canonical


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_a_module_are_tasks_that_its_options_accept(name):
    tasks = examples(name)
    assert all(task["name"] for task in tasks)
    named = [module for module, arguments in calls(tasks) if judged(module, arguments) is not None]
    assert name in named


# Documented modules that are no programs.
OTHERS = {"job_status", "table", "volume_move"}


@pytest.mark.parametrize("name", sorted(set(MODULES) - OTHERS))
def test_programs_accept_what_the_examples_say(apiary, name):
    for module, arguments in calls(examples(name)):
        if module in OTHERS:
            continue
        # Options are read in the order of their names: a program that gets as far as this one has accepted them all.
        options = judged(module, arguments)
        guests = options.get("guests") or {"": options}
        for guest in guests.values():
            guest["zzz"] = 1
        stdin = dict(options, _ansible_module_name=module)
        done = subprocess.run([apiary, "-"], input=json.dumps(stdin), capture_output=True, text=True, check=False)
        assert json.loads(done.stdout)["msg"].count("reading option `zzz`: unknown field") == len(guests), arguments


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(TOP)))
def test_blocks_of_a_text_are_yaml_whose_tasks_are_accepted(path):
    for module, arguments in calls(plays(path)):
        judged(module, arguments)


def test_blocks_are_found():
    found = [play for path in TEXTS for play in plays(path)]
    assert len(found) >= 10 and "candidates" in str(found)
