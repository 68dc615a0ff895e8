# SPDX-License-Identifier: GPL-3.0-or-later
"""A catalogue of very many images, listed as the one that was published into it is; their packages are holes, which nobody reads here."""

from __future__ import annotations

import json
import os
import subprocess

SIZE = 25 << 20


def alike(number):
    """The name of an image, and what is listed of it otherwise."""
    return "image%d" % number, {}


def fill(catalogue, count, each=alike):
    """Lists `count` images in an unsigned catalogue that has one: `each` says what the image of a number is."""
    listed = json.loads(_member(catalogue, "data.pkg", "data"))
    first = listed["packages"][0]
    listed["packages"] = [_package(first, number, *each(number)) for number in range(count)]
    for package in listed["packages"]:
        with open(os.path.join(catalogue, "All", "%(name)s-1.pkg" % package), "wb") as file:
            file.truncate(SIZE)
    _write(catalogue, "data.pkg", "data", json.dumps(listed))
    _write(catalogue, "packagesite.pkg", "packagesite.yaml", "".join(json.dumps(package) + "\n" for package in listed["packages"]))


def _package(first, number, name, more):
    path, sha256 = "All/%s-1.pkg" % name, "%064x" % number
    annotations = {**first["annotations"], "image_guid": str(number + 1), "image_sha256": sha256, **more.get("annotations", {})}
    of_file = {"path": path, "repopath": path, "sum": sha256, "pkgsize": SIZE}
    own = {key: value for key, value in of_file.items() if key in first}
    return {**first, **own, **more, "name": name, "version": "1", "annotations": annotations}


def _member(catalogue, archive, member):
    script = 'zstd -dcq "$1" | tar -xO "$2"'
    return subprocess.run(["sh", "-ec", script, "sh", os.path.join(catalogue, archive), member], check=True, capture_output=True).stdout


def _write(catalogue, archive, member, text):
    path = os.path.join(catalogue, archive)
    plain = os.path.join(catalogue, member)
    with open(plain, "w", encoding="utf-8") as file:
        file.write(text)
    script = 'tar --format=ustar -cC "$1" "$2" | zstd -qf -o "$3"'
    subprocess.run(["sh", "-ec", script, "sh", catalogue, member, path], check=True)
    os.unlink(plain)
