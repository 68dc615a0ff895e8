# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fleet at a glance: what there is on every host, what its dictionary says, and what is left over."""

from __future__ import annotations

from ansible_collections.apiary.bhyve.plugins.plugin_utils._deployment import Deployment, aligned
from ansible_collections.apiary.bhyve.plugins.plugin_utils._fleet import guests_of, place_of
from ansible_collections.apiary.bhyve.plugins.plugin_utils._pruning import Pruning, guests_of_inventory
from ansible_collections.apiary.bhyve.plugins.plugin_utils._size import short_size

# What Ansible puts around a line of a list leaves so much of 100 columns.
_WIDTH = 88
_HEADS = ("guest", "host", "state", "image", "size", "address", "note")
_IMAGE, _NOTE = 3, 6
# Columns that may be cut short, and how far at first: the version of an image, and most notes, remain.
_FLEXIBLE = {_IMAGE: 9, _NOTE: 23, 0: 12, 1: 10, 5: 10}
_SHORTEST = 6
# What a look has found out, by what the tasks `list` of the role register.
_LOOKS = ("guest_images_found",)


def listing_options(told):
    """What bhyve_image is asked for, by guest: those whose description says which image they are of."""
    deployment = Deployment(dict(told, names=[]))
    sound = {name: guest for name, guest in deployment.definitions.items() if isinstance(guest, dict) and guest.get("image")}
    return {name: deployment._images(name, guest) for name, guest in sound.items()}


def listing(hostvars, hosts):
    """`guests`: one dictionary a guest, by host and name, domains of others last of their host. `left`: disks and golden volumes that no
    guest has."""
    rows = []
    for host in hosts:
        rows += _of_host(hostvars, host)
    _tell_moved(rows)
    inventory = guests_of_inventory(hostvars)
    return {"guests": rows, "left": [left for host in hosts for left in _left(hostvars, host, inventory)]}


def _of_host(hostvars, host):
    found = hostvars[host].get("guest_domains_found") or {}
    domains = {domain["name"]: domain for domain in found.get("domains") or []}
    answers = {key: (hostvars[host].get(key) or {}).get("guests") or {} for key in _LOOKS}
    named = {str(name): guest for name, guest in guests_of(hostvars, host).items()}
    unseen = "unreachable" if found.get("unreachable") else None if "domains" in found else "unknown"
    reason = " ".join(str(found.get("msg") or "").split()) if unseen == "unknown" else None
    ours = sorted({*named, *(name for name, domain in domains.items() if domain.get("managed") is not None)})
    rows = []
    for name in [*ours, *sorted(set(domains) - set(ours))]:
        told = {key: answer.get(name) or {} for key, answer in answers.items()}
        rows.append(_row(name, host, domains.get(name), named, told))
    if unseen:
        rows = rows or [_row(None, host, None, {None: {}}, {})]
        rows = [dict(row, state=unseen, reason=reason) for row in rows]
    return rows


def _row(name, host, domain, named, told):
    images = told.get("guest_images_found") or {}
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
        "autostart": domain.get("autostart"),
        "restart_required": bool((managed or {}).get("restart_required")),
        "edited": bool((managed or {}).get("edited")),
        "managed": managed is not None if domain else None,
        "in_dictionary": guest is not None,
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
    found = {key: hostvars[host].get("guest_%s_found" % key) or {} for key in ("domains", "volumes", "golden")}
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
    yield row["newer"] and "newer %s" % row["newer"]
    yield row["edited"] and "edited"
    yield row["managed"] is False and "not managed"
    if row["managed"] and not row["in_dictionary"]:
        yield "moved to %s" % ", ".join(row["elsewhere"]) if row["elsewhere"] else "in no bhyve_guests"


def listing_table(told):
    """The same as lines of at most 88 letters."""
    table = [list(_HEADS)]
    for row in told["guests"]:
        table.append([
            row["guest"] or "-", row["host"], row["state"], row["image"] or "-",
            "%s x %s" % (row["vcpus"], short_size(row["memory"])) if row["vcpus"] else "-",
            (row["addresses"] or ["-"])[0],
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
