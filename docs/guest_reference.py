# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the page of a guest, every key with its type, default and an example, from what the check on the controller holds guests against.

guest_reference.py FILE. Examples stand in the descriptions (`as in V(...)`), or in the EXAMPLES of the module that a key is handed to, which the
tests run. A key without one is an error.
"""

import json
import re
import sys

import yaml
from ansible_collections.apiary.bhyve.plugins.module_utils._documented import load
from ansible_collections.apiary.bhyve.plugins.modules import guest_seed, libvirt_domain
from ansible_collections.apiary.bhyve.plugins.plugin_utils._schema import disk_spec, guest_spec

HEAD = """.. _apiary.bhyve.guest:

Every key of a guest
====================

What an entry of ``bhyve_guests`` may say. This page is made from the list that every deployment is checked against before a host is touched.
``ansible-doc -t role apiary.bhyve.guest -e guest`` shows the same in a terminal, and ``ansible-doc apiary.bhyve.guest_seed`` the keys of ``seed``.

Sizes are a number with one of K, M, G, T and P, which are units of 1024. A bare number is bytes, and is refused where bytes cannot be meant.

"""
PARTS = [
    ("The guest", "Below ``bhyve_guests: {NAME: ...}``.", ""),
    ("Its seed", "Below ``seed``: who the guest is, told to it at first boot.", "seed."),
    ("Waiting for it", "Below ``wait_for``.", "wait_for."),
    ("Several networks", "Each of the list ``networks``.", "networks[]."),
    ("A screen", "Below ``vnc``.", "vnc."),
    ("Data disks", "Each of the dictionary ``disks``.", "disks.NAME."),
]


def described():
    """Every key of a guest by its whole name, with its description."""
    guest = guest_spec()
    described_by_modules = {
        "seed": load(guest_seed.DOCUMENTATION)["options"],
        "wait_for": load(libvirt_domain.DOCUMENTATION)["options"]["wait_for"]["suboptions"],
    }
    yield from _below("", guest, {})
    for name, options in described_by_modules.items():
        yield from _below(f"{name}.", guest[name]["options"], options)
    yield from _below("disks.NAME.", disk_spec(), {})


def _below(path, spec, documented):
    for name, option in spec.items():
        whole = {**documented.get(name, {}), **option}
        yield path + name, whole
        inner = option.get("options")
        if inner and path + name not in ("seed", "wait_for"):
            outer = path + name + ("[]." if option["type"] == "list" else ".")
            yield from _below(outer, inner, whole.get("suboptions", {}))


def shown_by_modules():
    """What the examples of modules say for a key, by its whole name."""
    found = {}
    for module, outer in ((guest_seed, "seed"), (libvirt_domain, "")):
        for task in yaml.safe_load(module.EXAMPLES):
            for name, words in task.items():
                if name.startswith("apiary.bhyve.") and isinstance(words, dict):
                    _values(outer, words, found)
    return found


def _values(path, value, found):
    if isinstance(value, dict):
        for name, inner in value.items():
            whole = f"{path}.{name}".lstrip(".").replace("seed.guests.", "seed.")
            found.setdefault(whole, inner)
            _values(whole, inner, found)
    elif isinstance(value, list):
        for inner in value:
            _values(f"{path}[]", inner, found)


def example(name, option, shown):
    """A value that the key may have, as it is written."""
    text = " ".join(_paragraphs(option))
    if said := re.search(r"as in V\(((?:[^()\\]|\\.|\((?:[^()\\]|\\.)*)+)\)", text):
        value = said[1].replace("\\", "")
        return f"[{value}]" if option["type"] == "list" and not value.startswith("[") else value
    if name in shown:
        return _written(shown[name])
    for value in (option.get("choices") or []) if "choices" in option else (["true"] if option["type"] == "bool" else []):
        if value != option.get("default"):
            return value
    return None


def _written(value):
    if isinstance(value, str):
        return value if re.fullmatch(r"[\w./-]+", value) else json.dumps(value)
    return re.sub(r'"([A-Za-z_][\w.-]*)":', r"\1:", json.dumps(value))


def _paragraphs(option):
    text = option.get("description", "")
    return [text] if isinstance(text, str) else text


# Ansible's markup, as Sphinx writes it.
MARKUP = [
    (r"M\(apiary\.bhyve\.(\w+)\)", r":ansplugin:`apiary.bhyve.\1#module`"),
    (r"[COVP]\(((?:[^()\\]|\\.|\([^()]*\))*)\)", r"``\1``"),
    (r"L\(([^,]+), *([^)]+)\)", r"`\1 <\2>`__"),
    (r"[IB]\(([^)]+)\)", r"*\1*"),
    (r"RV\(([^)]+)\)", r"``\1``"),
]


def _text(paragraph):
    for pattern, wanted in MARKUP:
        paragraph = re.sub(pattern, wanted, paragraph)
    return re.sub(r"\s+", " ", paragraph).replace("\\)", ")").strip()


def _facts(name, option, shown):
    """Type, default and example of a key, in one line."""
    yield option["type"] + (f" of {option['elements']}" if "elements" in option else "")
    if option.get("required"):
        yield "**required**"
    if "choices" in option:
        yield "one of " + ", ".join(f"``{choice}``" for choice in option["choices"])
    if "default" in option:
        yield "default ``%s``" % json.dumps(option["default"]).strip('"')
    value = example(name, option, shown)
    if value is None:
        sys.exit(f"guest_reference: {name} has no example: say one in its description, as in V(...)")
    yield f"``{name.rpartition('.')[2]}: {value}``"


def _entry(name, option, prefix, shown):
    body = "\n\n".join("    " + _text(paragraph) for paragraph in _paragraphs(option))
    facts = " · ".join(_facts(name, option, shown))
    return f"``{name.removeprefix(prefix)}``\n    .. rst-class:: key-facts\n\n    {facts}\n\n{body}\n\n"


def main(path):
    keys, shown = dict(described()), shown_by_modules()
    prefixes = [part[2] for part in PARTS if part[2]]
    with open(path, "w", encoding="utf-8") as file:
        file.write(HEAD)
        for title, text, prefix in PARTS:
            file.write(f"{title}\n{'-' * len(title)}\n\n{text}\n\n.. rst-class:: keys\n\n")
            for name, option in keys.items():
                if name.startswith(prefix) and (prefix or not name.startswith(tuple(prefixes))):
                    file.write(_entry(name, option, prefix, shown))


if __name__ == "__main__":
    main(*sys.argv[1:])
