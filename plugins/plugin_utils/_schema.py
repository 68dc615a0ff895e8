# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds a dictionary against documented options: unknown, missing and mistyped keys at any depth, each in one line."""

from __future__ import annotations

import functools
import pathlib
from collections.abc import Mapping

import yaml
from ansible.module_utils.common.validation import (
    check_type_bool,
    check_type_float,
    check_type_int,
    check_type_list,
)
from ansible_collections.apiary.bhyve.plugins.module_utils._documented import argument_spec, load
from ansible_collections.apiary.bhyve.plugins.modules import guest_seed, libvirt_domain
from ansible_collections.apiary.bhyve.plugins.plugin_utils._words import called, kind, meant

ROLE = pathlib.Path(__file__).resolve().parents[2] / "roles/guest"
# What the role says itself of a seed.
_ROLES_OWN = ("path", "name", "state", "guests", "networks", "first_boot", "identity")
# What is looked for in one of `networks`, and where it is.
_NOT_OF_A_NETWORK = {
    "vlan": "libvirt's driver for bhyve has no VLANs: make one bridge for each on the host",
    "nameservers": "name servers are the guest's: give 'seed.nameservers'",
    "search": "domains to search are the guest's: give 'seed.search'",
}
_READ = {"int": check_type_int, "bool": check_type_bool, "float": check_type_float}
_SECRET = ("password", "password_hash", "user_data")


@functools.cache
def _entry_points():
    with open(ROLE / "meta/argument_specs.yml", encoding="utf-8") as file:
        return yaml.load(file, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))["argument_specs"]


def disk_spec():
    """Every key of a data disk of a guest: those of the role's entry point `disk`."""
    return _entry_points()["disk"]["options"]


@functools.cache
def guest_spec():
    """Every key of a guest: those of the role's entry point `guest`, those of `seed` and `wait_for` from their modules."""
    spec = {name: dict(option) for name, option in _entry_points()["guest"]["options"].items()}
    seed = argument_spec(load(guest_seed.DOCUMENTATION))
    spec["seed"]["options"] = {name: option for name, option in seed.items() if name not in _ROLES_OWN}
    spec["wait_for"]["options"] = argument_spec(load(libvirt_domain.DOCUMENTATION))["wait_for"]["options"]
    return spec


def number(value):
    """A value that is right for an option of type int."""
    return check_type_int(value)


def is_true(value):
    """Whether an option of type bool says yes; what is no bool says no."""
    return value is not None and _is_a("bool", value) and check_type_bool(value)


def faults(spec, values, path=""):
    """What is wrong with VALUES, and where; PATH is that of the dictionary itself, with a dot at its end."""
    where = " in '%s'" % path.rstrip(".") if path else ""
    for key in values:
        if key not in spec:
            yield "unknown key '%s'%s; %s" % (key, where, _meant(spec, str(key), path))
    for name, option in spec.items():
        value = values.get(name)
        if value is not None:
            yield from _value_faults(option, value, path + name)
        elif option.get("required"):
            yield "'%s%s' is missing" % (path, name)


def _meant(spec, key, path):
    if path.startswith("networks[") and key in _NOT_OF_A_NETWORK:
        return _NOT_OF_A_NETWORK[key]
    inner = [name for name, option in spec.items() if key in option.get("options", ()) and option["type"] == "dict"]
    if inner:
        return "did you mean '%s.%s'?" % (inner[0], key)
    if path and key in guest_spec():
        return "did you mean '%s' of the guest itself?" % key
    close = meant(key, spec)
    if close:
        return "did you mean '%s'?" % close
    known = "known are %s" % ", ".join(sorted(spec))
    return known if path else known + "; keys for a template of your own go under 'vars'"


def _value_faults(option, value, path):
    if option["type"] == "list":
        if isinstance(value, bool) or not isinstance(value, (list, tuple, str, int, float)):
            yield _expected("list", value, path)
            return
        for number, item in enumerate(value if isinstance(value, (list, tuple)) else check_type_list(value)):
            inner = {**option, "type": option.get("elements", "raw")}
            yield from _value_faults(inner, item, "%s[%d]" % (path, number))
    elif option["type"] == "dict":
        if not isinstance(value, Mapping):
            yield _expected("dict", value, path)
        elif "options" in option:
            yield from faults(option["options"], value, path + ".")
    elif not _is_a(option["type"], value):
        yield _expected(option["type"], value, path)
    elif "choices" in option and str(value) not in option["choices"]:
        yield "'%s' must be one of %s, found %r" % (path, ", ".join(option["choices"]), value)


def _is_a(expected, value):
    if expected not in ("str", "path", *_READ):
        return True
    if isinstance(value, (Mapping, list, tuple)) or value is None or (isinstance(value, bool) and expected != "bool"):
        return False
    try:
        _READ.get(expected, str)(value)
    except (ArithmeticError, TypeError, ValueError):
        return False
    return True


def _expected(expected, value, path):
    found = kind(value)
    if path.rsplit(".", 1)[-1].split("[")[0] in _SECRET and not isinstance(value, (Mapping, list, tuple)):
        found = "something else"
    hint = "; put it in quotes" if isinstance(value, bool) and expected in ("str", "path") else ""
    return "'%s' must be %s, found %s%s" % (path, called(expected), found, hint)
