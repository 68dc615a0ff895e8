# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns a module's DOCUMENTATION into its argument spec, so that no option is written down twice."""

from __future__ import annotations

import importlib

# The module object is looked up at the call: ansible-lint and validate-modules put their own in its place.
from ansible.module_utils import basic

try:
    import yaml
except ImportError:
    # Only the controller reads documentation; a target never imports this file.
    yaml = None

_FRAGMENTS = "ansible_collections.apiary.bhyve.plugins.doc_fragments."
_COPIED = ("type", "elements", "default", "choices", "required", "aliases")


def load(documentation):
    """Reads a DOCUMENTATION text with the fragments that it extends."""
    documented = _parsed(documentation)
    names = documented.pop("extends_documentation_fragment", [])
    for name in [names] if isinstance(names, str) else names:
        fragment = _fragment(name)
        for part in ("options", "attributes"):
            own = documented.setdefault(part, {})
            for entry, shared in fragment.get(part, {}).items():
                # As Ansible merges them: key by key, and what the module says itself counts.
                own[entry] = {**shared, **own.get(entry, {})}
    return documented


def _parsed(text):
    """The C parser, where it is there, takes a tenth of the time."""
    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)) if yaml else {}


def _fragment(name):
    """One of this collection's fragments: others would take Ansible's loader, which takes its time."""
    own = name.removeprefix("apiary.bhyve.")
    try:
        fragment = importlib.import_module(_FRAGMENTS + own).ModuleDocFragment
    except ModuleNotFoundError:
        raise LookupError("there is no documentation fragment %s in this collection" % name) from None
    return _parsed(fragment.DOCUMENTATION)


def argument_spec(documentation, no_log=()):
    """The argument spec of a loaded DOCUMENTATION; `no_log` names secret options, `outer.inner` for a suboption."""
    return _spec(documentation.get("options") or {}, frozenset(no_log), "")


def _spec(options, no_log, prefix):
    spec = {}
    for name, documented in options.items():
        option = {key: documented[key] for key in _COPIED if key in documented}
        option["no_log"] = prefix + name in no_log
        if "suboptions" in documented:
            option["options"] = _spec(documented["suboptions"], no_log, prefix + name + ".")
        spec[name] = option
    return spec


def run(documentation, no_log=(), **rules):
    """What a module's `main` does: declare its options, and say where the module really runs.

    `rules` are AnsibleModule's own: mutually_exclusive, required_one_of, required_together, required_if, required_by.
    """
    module = basic.AnsibleModule(
        argument_spec=argument_spec(load(documentation), no_log), supports_check_mode=True, **rules
    )
    module.fail_json(
        msg="this module is a compiled program: call it by its full name, apiary.bhyve.<name>, so that the "
        "collection's action plugin runs the program for the target's platform"
    )
