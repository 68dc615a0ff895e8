# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fleet at a glance: what there is on every host, what its dictionary says, and what is left over."""

from __future__ import annotations

from ansible_collections.apiary.bhyve.plugins.plugin_utils._deployment import Deployment, aligned
from ansible_collections.apiary.bhyve.plugins.plugin_utils._fleet import guests_of, place_of
from ansible_collections.apiary.bhyve.plugins.plugin_utils._pruning import Pruning, guests_of_inventory
from ansible_collections.apiary.bhyve.plugins.plugin_utils._size import short_size
from ansible_collections.apiary.bhyve.plugins.plugin_utils._verbs import volumes_of

# What Ansible puts around a line of a list leaves so much of 100 columns.
_WIDTH = 88
_HEADS = ("guest", "host", "state", "up", "image", "size", "address", "snap", "note")
_IMAGE, _ADDRESS, _NOTE = 4, 6, 8
# Columns that may be cut short, and how far at first: the version of an image, and most notes, remain.
_FLEXIBLE = {_IMAGE: 9, _NOTE: 21, 0: 10, 1: 8, _ADDRESS: 10}
_SHORTEST = 6


def listing_options(told):
    """What libvirt_host_info is asked for. `told` holds the `definitions` and the `place` of a host's guests, the `uri` of its libvirt, and
    how bhyve_image comes to the `catalog`."""
    deployment = Deployment(dict(told, names=[]))
    place, guests = deployment.place, {name: guest for name, guest in deployment.definitions.items() if isinstance(guest, dict)}
    where = {"path": place["folder"]} if place["folder"] else {"dataset": place["dataset"]}
    looks = {"domains": ("libvirt_domain_info", {"uri": told.get("uri")}), "volumes": ("zfs_receive_info", where)}
    if not place["folder"]:
        looks["golden"] = ("zfs_receive_info", {"dataset": place["golden"]})
        asked = {name: {"datasets": volumes_of(place, name, guest)} for name, guest in guests.items()}
        looks["snapshots"] = ("zfs_snapshot_info", {"guests": asked})
    catalog = {option: value for option, value in (told.get("catalog") or {}).items() if value}
    if catalog.get("repository"):
        images = {name: deployment._images(name, guest) for name, guest in guests.items() if guest.get("image")}
        looks["images"] = ("bhyve_image", dict(catalog, guests=images))
    # Without guests there is nothing to ask of each.
    asked = {name: look for name, look in looks.items() if look[1].get("guests") != {}}
    return {name: {"module": module, "options": {key: value for key, value in options.items() if value}} for name, (module, options) in asked.items()}


def listing(hostvars, hosts):
    """`guests`: one dictionary a guest, by host and name, domains of others last of their host. `left`: disks and golden volumes that no
    guest has."""
    rows = []
    for host in hosts:
        rows += _of_host(hostvars, host)
    _tell_moved(rows)
    inventory = guests_of_inventory(hostvars)
    return {"guests": rows, "left": [left for host in hosts for left in _left(hostvars, host, inventory)]}


def _looks(hostvars, host):
    """What the looks at a host have answered, by name, and why there is nothing of its domains: a state, and a reason."""
    found = hostvars[host].get("guest_looks_found") or {}
    looks = found.get("looks") or {}
    domains = looks.get("domains") or found
    if "domains" in domains:
        return looks, None, None
    said = " ".join(str(domains.get("msg") or "").split())
    return looks, "unreachable" if found.get("unreachable") else "unknown", None if found.get("unreachable") else said


def _of_host(hostvars, host):
    looks, unseen, reason = _looks(hostvars, host)
    domains = {domain["name"]: domain for domain in (looks.get("domains") or {}).get("domains") or []}
    named = {str(name): guest for name, guest in guests_of(hostvars, host).items()}
    ours = sorted({*named, *(name for name, domain in domains.items() if domain.get("managed") is not None)})
    rows = []
    for name in [*ours, *sorted(set(domains) - set(ours))]:
        told = {look: ((looks.get(look) or {}).get("guests") or {}).get(name) or {} for look in ("images", "snapshots")}
        rows.append(_row(name, host, domains.get(name), named, told))
    if unseen:
        rows = rows or [_row(None, host, None, {None: {}}, {})]
        rows = [dict(row, state=unseen, reason=reason) for row in rows]
    return rows


def _row(name, host, domain, named, told):
    images = told.get("images") or {}
    image, guest, domain = images.get("image") or {}, named.get(name), domain or {}
    managed = domain.get("managed")
    return {
        "guest": name, "host": host,
        "state": domain.get("state") or "absent",
        "reason": None,
        "image": "-".join(str(image[key]) for key in ("name", "version") if image.get(key)) or None,
        "newer": images.get("newer") or None,
        "vcpus": domain.get("vcpus"), "memory": domain.get("memory"),
        "addresses": [address for interface in domain.get("interfaces") or [] for address in interface.get("addresses") or []],
        "uptime": domain.get("uptime"), "autostart": domain.get("autostart"),
        "restart_required": bool((managed or {}).get("restart_required")),
        "edited": bool((managed or {}).get("edited")),
        "managed": managed is not None if domain else None,
        "in_dictionary": guest is not None,
        "snapshots": [
            {key: each.get(key) for key in ("name", "created", "used", "own")} for each in (told.get("snapshots") or {}).get("snapshots") or []
        ],
        "elsewhere": [],
    }


def _tell_moved(rows):
    """A domain that the dictionary of another host has has moved there, or is to be."""
    named = {}
    for row in rows:
        if row["in_dictionary"]:
            named.setdefault(row["guest"], []).append(row["host"])
    for row in rows:
        if not row["in_dictionary"] and row["managed"]:
            row["elsewhere"] = named.get(row["guest"], [])


def _left(hostvars, host, inventory):
    """What a prune of this host would show. Where a look has failed, nobody knows what is used, and nothing is called left."""
    looks = _looks(hostvars, host)[0]
    found = {key: looks.get(key) or {} for key in ("domains", "volumes", "golden")}
    if "domains" not in found["domains"] or "volumes" not in found["volumes"]:
        return []
    folder, dataset = place_of(hostvars, host)
    told = {"place": {"folder": folder, "dataset": dataset}, "definitions": guests_of(hostvars, host), "inventory": inventory}
    rows = Pruning(dict(told, **{"%s_found" % key: value for key, value in found.items()})).rows
    # How to remove it is what a prune says.
    return [{"host": host, "name": row["name"], "bytes": row["bytes"], "why": row["why"].split(";")[0]} for row in rows]


def _notes(row):
    yield row["reason"]
    yield row["restart_required"] and "restart"
    yield row["newer"] and "new %s" % row["newer"]
    yield row["edited"] and "edited"
    yield row["managed"] is False and "not managed"
    if row["managed"] and not row["in_dictionary"]:
        yield "moved to %s" % ", ".join(row["elsewhere"]) if row["elsewhere"] else "in no bhyve_guests"


def _age(seconds):
    """The largest unit is enough to see who was restarted last night."""
    if seconds is None:
        return "-"
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= length:
            return "%d%s" % (seconds // length, unit)
    return "%ds" % seconds


def listing_table(told):
    """The same as lines of at most 88 letters."""
    if not told["guests"] and not told["left"]:
        return ["no guests on these hosts"]
    table = [list(_HEADS)]
    for row in told["guests"]:
        table.append([
            row["guest"] or "-", row["host"], row["state"], _age(row["uptime"]), row["image"] or "-",
            "%sx%s" % (row["vcpus"], short_size(row["memory"])) if row["vcpus"] else "-",
            (row["addresses"] or ["-"])[0],
            str(len(row["snapshots"]) or "-"),
            ", ".join(note for note in _notes(row) if note),
        ])
    return aligned(_cut(table)) + [_left_line(left) for left in told["left"]]


def _left_line(left):
    size = "" if left["bytes"] is None else ", %s" % short_size(left["bytes"])
    line = "left on %s: %s%s: %s" % (left["host"], left["name"], size, left["why"])
    return line if len(line) <= _WIDTH else line[:_WIDTH - 1] + "~"


def _cut(table):
    widths = [max(len(row[column]) for row in table) for column in range(len(_HEADS))]
    for least in (_FLEXIBLE, dict.fromkeys(_FLEXIBLE, _SHORTEST)):
        while sum(widths) + 2 * (len(widths) - 1) > _WIDTH:
            column = max(least, key=lambda column: widths[column] - least[column])
            if widths[column] <= least[column]:
                break
            widths[column] -= 1
    return [[_short(row[column], widths[column], column) for column in range(len(_HEADS))] for row in table]


def _short(word, width, column):
    """The end of a name is what tells images apart, and guests that are numbered."""
    if len(word) <= width:
        return word
    tail = 0 if column == _NOTE else 8 if column == _IMAGE and width > 8 else width // 2
    return word[:width - 1 - tail] + "~" + word[len(word) - tail:]
