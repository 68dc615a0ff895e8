# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation is read here as Ansible reads it, fragments included."""

from __future__ import annotations

import importlib
import json
import pathlib
import subprocess
import sys

import pytest
from ansible_collections.apiary.bhyve.plugins.module_utils._documented import argument_spec, load

COLLECTION = "apiary.bhyve."
ANSIBLE_DOC = pathlib.Path(sys.executable).with_name("ansible-doc")
MODULES = sorted(path.stem for path in pathlib.Path(__file__).resolve().parents[4].glob("plugins/modules/*.py"))


def test_modules_have_the_options_and_attributes_that_ansible_reads():
    command = [ANSIBLE_DOC, "--json", *(COLLECTION + name for name in MODULES)]
    pages = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    for name in MODULES:
        module = importlib.import_module("ansible_collections.apiary.bhyve.plugins.modules." + name)
        ours, ansibles = load(module.DOCUMENTATION), pages[COLLECTION + name]["doc"]
        for part in ("options", "attributes"):
            assert ours.get(part) == ansibles.get(part), (name, part)


@pytest.mark.parametrize("extended", ["apiary.bhyve.catalogue", "[apiary.bhyve.catalogue]"])
def test_what_a_module_says_of_an_option_comes_before_what_its_fragment_says(extended):
    documentation = "extends_documentation_fragment: %s\noptions: {timeout: {default: 5}, name: {type: str}}" % extended
    spec = argument_spec(load(documentation))
    assert spec["timeout"] == {"type": "float", "default": 5, "no_log": False}
    assert spec["name"] == {"type": "str", "no_log": False}
    assert spec["signature_type"]["choices"] == ["pubkey", "fingerprints", "none"]


def test_a_module_may_have_no_options_but_those_of_its_fragment():
    assert "ssh_key" in load("extends_documentation_fragment: [apiary.bhyve.catalogue]")["options"]


@pytest.mark.parametrize("name", ["apiary.bhyve.nothing", "apiary.bhyve.catalogue.part", "ansible.builtin.files", "files"])
def test_an_unknown_fragment_is_named(name):
    with pytest.raises(LookupError) as error:
        load("extends_documentation_fragment: [apiary.bhyve.catalogue, %s]" % name)
    assert str(error.value) == "there is no documentation fragment %s in this collection" % name
