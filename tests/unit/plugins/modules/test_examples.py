# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every example of the documentation: of the modules' pages, the guides, the roles and the README."""

from __future__ import annotations

import importlib
import json
import pathlib
import re
import subprocess
import textwrap

import pytest
import yaml

TOP = pathlib.Path(__file__).resolve().parents[4]
COLLECTION = "apiary.bhyve."
MODULES = sorted(path.stem for path in TOP.glob("plugins/modules/*.py"))
TEXTS = sorted([TOP / "README.md", *TOP.glob("roles/*/README.md"), *TOP.glob("docs/docsite/rst/*.rst")])

# What the examples' templates stand for, as in a play.
TEMPLATES = {
    "{{ admin_key }}": "ssh-ed25519 AAAA admin",
    "{{ fetch.ansible_job_id }}": "0123456789abcdef",
    "{{ fetched.image.guid }}": 1,
    "{{ fetched.image.path }}": "/var/db/apiary/images/x.pkg",
    "{{ lookup('ansible.builtin.file', 'keys/ada.pub') }}": "ssh-ed25519 AAAA ada",
    "{{ lookup('ansible.builtin.template', 'web1.xml.j2') }}": "<domain><name>web1</name></domain>",
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
    source = (TOP / "plugins" / "modules" / (name + ".py")).read_text()
    return yaml.safe_load(re.search(r'^EXAMPLES = r?"""(.*?)^"""', source, re.M | re.S).group(1))


def blocks(text):
    """The YAML of a page: fenced in Markdown, indented in reStructuredText."""
    yield from re.findall(r"^```yaml\n(.*?)^```", text, re.M | re.S)
    for block in re.findall(r"^\.\. code-block:: yaml\n\n((?:(?: {4}.*)?\n)+)", text, re.M):
        yield textwrap.dedent(block)


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


@pytest.mark.parametrize("name", sorted(set(MODULES) - {"job_status"}))
def test_programs_accept_what_the_examples_say(apiary, name):
    for module, arguments in calls(examples(name)):
        if module == "job_status":
            continue
        # Options are read in the order of their names: a program that gets as far as this one has accepted them all.
        stdin = dict(judged(module, arguments), zzz=1, _ansible_module_name=module)
        done = subprocess.run([apiary, "-"], input=json.dumps(stdin), capture_output=True, text=True, check=False)
        assert json.loads(done.stdout)["msg"].startswith("reading option `zzz`: unknown field"), arguments


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(TOP)))
def test_blocks_of_a_text_are_yaml_whose_tasks_are_accepted(path):
    for block in blocks(path.read_text()):
        for module, arguments in calls(yaml.safe_load(block)):
            judged(module, arguments)


def test_blocks_are_found():
    found = [block for path in TEXTS for block in blocks(path.read_text())]
    assert len(found) >= 10 and any("candidates:" in block for block in found)
