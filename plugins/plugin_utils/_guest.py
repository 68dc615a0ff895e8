# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One guest of bhyve_guests: its normal form, which the role works with, and what is wrong with it whatever the others are."""

from __future__ import annotations

import contextlib
import functools
import pathlib
import re
from collections.abc import Mapping

from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible_collections.apiary.bhyve.plugins.plugin_utils._disks import disk_faults, disks_of
from ansible_collections.apiary.bhyve.plugins.plugin_utils._networks import guest_addresses, network_faults
from ansible_collections.apiary.bhyve.plugins.plugin_utils._schema import ROLE, faults, guest_spec, is_true, kind, number
from ansible_collections.apiary.bhyve.plugins.plugin_utils._seed import mac_fault, seed_faults
from ansible_collections.apiary.bhyve.plugins.plugin_utils._size import disk_fault, memory_fault

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_BRIDGE = re.compile(r"[A-Za-z0-9_.:-]{1,15}")
_IMAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
# Longest that libvirt_domain waits for anything, in seconds.
_TEN_YEARS = 3.2e8


def is_omitted(value):
    """Whether VALUE is what `default(omit)` leaves: before ansible-core 2.19 a text, since then an object that shows itself so."""
    if isinstance(value, str):
        return str(value).startswith("__omit_place_holder__")
    # Showing all that is in a dictionary or a list takes its time.
    return not isinstance(value, (Mapping, list, tuple)) and repr(value) == "<<Omit>>"


def plain(value):
    """VALUE without the wrappers of Ansible's versions: every template in it resolved, vaulted text as text, what is omitted left out."""
    if isinstance(value, Mapping):
        return {key: plain(each) for key, each in value.items() if not is_omitted(each)}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value if not is_omitted(each)]
    return str(value) if hasattr(value, "__ENCRYPTED__") else value


def definition(guest):
    """The guest in the form that everybody works with: nothing that is empty, and what follows from its seed filled in."""
    if not isinstance(guest, Mapping):
        return guest
    guest = {key: value for key, value in guest.items() if value is not None and not is_omitted(value)}
    if guest.get("networks") in ([], ()):
        del guest["networks"]
    seed, wait = guest.get("seed"), guest.get("wait_for")
    # The interface that the seed looks for is the one that the domain has.
    if isinstance(seed, Mapping) and seed.get("mac") and not guest.get("mac") and "networks" not in guest:
        guest["mac"] = seed["mac"]
    if isinstance(wait, Mapping) and wait.get("port") and not wait.get("host"):
        fixed = guest_addresses(guest)
        if fixed:
            guest["wait_for"] = {**wait, "host": str(fixed[0].ip)}
    return guest


def template_file(name):
    """File of a domain template: one of the role's (or of templates/domains beside the playbook) by name, or a path."""
    return name if "/" in name else "domains/%s.xml.j2" % name


@functools.cache
def role_templates():
    """The templates of the role by name, and which keys of a guest each reads."""
    files = (ROLE / "templates/domains").glob("*.xml.j2")
    # Its data disks a template reads as `guest_disks`, with their devices.
    read = re.compile(r"guest\.([a-z_]+)|guest_(disks)\b")
    return {file.name.removesuffix(".xml.j2"): {one or other for one, other in read.findall(file.read_text())} for file in files}


def _has_interface(template, guest):
    """Whether the domain has a network interface; one of a template that is not the role's may have."""
    keys = role_templates().get(template)
    if keys is None:
        return True
    return bool(guest.get("bridge") or guest.get("networks")) or ("network" in keys and guest.get("network") == "user")


def unread_keys(guest, template=None, search=None):
    """The template of a guest, and what the guest says that only other templates read; of a template of one's own, its data disks."""
    guest = definition(guest)
    chosen = str(guest.get("template") or template or "") if isinstance(guest, Mapping) else ""
    if chosen not in role_templates():
        # What it includes may read them.
        reads = not disks_of(guest) or re.search(r"guest_disks|\b(disks|include|import|extends)\b", _text(chosen, search))
        return chosen, [] if reads else ["disks"]
    of_templates = set().union(*role_templates().values())
    return chosen, sorted(key for key in guest if key in of_templates - role_templates()[chosen])


def guest_faults(name, guest, template=None, search=None):
    """What is wrong with guest NAME; TEMPLATE is that of guests that name none, SEARCH where the role looks for templates."""
    yield from _name_faults(name)
    if not isinstance(guest, Mapping):
        yield "expected a dictionary with image, vcpus and memory, found %s" % kind(guest)
        return
    guest = definition(guest)
    found = list(faults(guest_spec(), guest))
    yield from (fault + "; apiary.bhyve.remove takes a guest away" if fault.endswith("found 'absent'") else fault for fault in found)
    broken = {re.split(r"'([a-z_]+)", fault)[1] for fault in found if fault.startswith("'")}
    sound = {key: value for key, value in guest.items() if key in guest_spec() and key not in broken}
    yield from _own_faults(sound)
    yield from _template_faults(sound, template, search)
    yield from disk_faults(sound, str(guest.get("template") or template or ""))
    if isinstance(guest.get("seed"), Mapping):
        seed = {key: value for key, value in guest["seed"].items() if value is not None}
        yield from seed_faults(str(name), seed, bool(guest.get("networks")))
        yield from _mac_faults(sound, seed)
    # Of a template of one's own, nobody knows what it can do.
    keys = role_templates().get(str(sound.get("template") or template or ""), {"network"})
    yield from network_faults(sound, with_user="network" in keys, with_mtu="network" in keys)
    if isinstance(sound.get("wait_for"), Mapping):
        yield from _wait_faults(sound["wait_for"])


def _name_faults(name):
    if not isinstance(name, str):
        yield "its name is %s: put it in quotes" % ("a number" if isinstance(name, (int, float)) and not isinstance(name, bool) else repr(name))
    elif not NAME.fullmatch(name):
        yield "its name must be 1 to 63 letters, digits, '.', '_' or '-', beginning with a letter or digit"
    elif name == "all":
        yield "its name stands for every guest, and every host: give it another"


def _own_faults(guest):
    if "identity" in guest and not NAME.fullmatch(str(guest["identity"])):
        yield "'identity' must be the name that the guest had when it was made, found %r" % (guest["identity"],)
    if "image" in guest and not _IMAGE.fullmatch(str(guest["image"])):
        yield "'image' must be 1 to 128 letters, digits, '.', '_' or '-', beginning with a letter or digit, found %r" % (guest["image"],)
    if "bridge" in guest and not _BRIDGE.fullmatch(str(guest["bridge"])):
        yield "'bridge' must be the name of a bridge as in bridge0, found %r" % (guest["bridge"],)
    if "vcpus" in guest and number(guest["vcpus"]) < 1:
        yield "'vcpus' must be a number from 1, found %s" % guest["vcpus"]
    for key, fault_of in (("memory", memory_fault), ("disk", disk_fault), ("mac", mac_fault)):
        fault = fault_of(guest[key]) if key in guest else None
        if fault:
            yield "'%s' %s" % (key, fault)
    yield from _turn_faults(guest)
    vnc = guest.get("vnc") or {}
    if vnc.get("port") is not None and not 1 <= number(vnc["port"]) <= 65535:
        yield "'vnc.port' must be 1 to 65535, found %s" % vnc["port"]
    if len(str(vnc.get("password") or "")) > 8:
        yield "'vnc.password' has more than eight characters, which VNC does not know"


def _turn_faults(guest):
    """As libvirt_domain judges its options (modules/libvirt_domain/src/params.rs)."""
    for key, most in (("order", 9999), ("delay", 86400)):
        if key not in guest:
            continue
        if not 0 <= number(guest[key]) <= most:
            yield "'%s' must be 0 to %d, found %s" % (key, most, guest[key])
        elif not is_true(guest.get("autostart")):
            yield "'%s' says when the guest starts with the host, and it does not: add 'autostart: true'" % key


def _template_faults(guest, template, search):
    chosen = str(guest.get("template") or template or "")
    if not chosen:
        return
    if search is not None and chosen not in role_templates() and not _is_found(chosen, search):
        yield "no template '%s'; known are %s, and templates/domains/%s.xml.j2 beside the playbook" % (
            chosen, ", ".join(sorted(role_templates())), chosen.rsplit("/", 1)[-1].removesuffix(".xml.j2"))
        return
    if not _has_interface(chosen, guest):
        way = "'bridge', or 'network: user'" if "network" in role_templates()[chosen] else "'bridge'"
        seed = guest.get("seed")
        if isinstance(seed, Mapping) and seed.get("addresses"):
            yield "'seed.addresses' has no network interface to be on: with template %s give %s" % (chosen, way)
    wait = guest.get("wait_for")
    if isinstance(wait, Mapping) and is_true(wait.get("agent")) and chosen in role_templates():
        if "agent" not in role_templates()[chosen]:
            yield "'wait_for.agent' cannot be waited for: template %s has no channel for the guest agent" % chosen
        elif not is_true(guest.get("agent")):
            yield "'wait_for.agent' cannot be waited for: the guest has no channel for its agent; add 'agent: true'"


def _text(name, search):
    """A template of one's own; one that cannot be read here is none to say anything of."""
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return pathlib.Path(_found(name, search or ())).read_text(encoding="utf-8")
    return "guest_disks"


def _is_found(name, search):
    return bool(_found(name, search))


def _found(name, search):
    """Looks where the lookup of templates would; the last folder of SEARCH is the playbook's."""
    loader = DataLoader()
    if search:
        loader.set_basedir(search[-1])
    try:
        return loader.path_dwim_relative_stack([str(folder) for folder in search], "templates", template_file(name)) or ""
    except AnsibleError:
        return ""


def _mac_faults(guest, seed):
    own, seeds = guest.get("mac"), seed.get("mac")
    if own and seeds and str(own).lower() != str(seeds).lower():
        yield "'seed.mac' is %s, and 'mac' is %s: the seed would look for an interface that the domain does not have; leave 'seed.mac' out" % (
            seeds, own)


def _wait_faults(wait):
    """As libvirt_domain judges its option (modules/libvirt_domain/src/params.rs)."""
    if wait.get("console") is None and wait.get("port") is None and not is_true(wait.get("agent")):
        yield "'wait_for' must have at least one of 'console', 'port' and 'agent'"
    port, host = wait.get("port"), wait.get("host")
    if port is not None and not 1 <= number(port) <= 65535:
        yield "'wait_for.port' must be 1 to 65535, found %s" % port
    if port is not None and not host:
        yield "'wait_for.port' has no host, and the guest has no fixed address to take: say 'wait_for.host'"
    if host and port is None:
        yield "'wait_for.host' has no port: say 'wait_for.port'"
    console = wait.get("console")
    if console is not None and not 1 <= len(str(console).encode()) <= 1024:
        yield "'wait_for.console' must be a text of 1 to 1024 bytes"
    if wait.get("timeout") is not None and not 0 <= float(wait["timeout"]) <= _TEN_YEARS:
        yield "'wait_for.timeout' must be seconds from 0, found %s" % wait["timeout"]
