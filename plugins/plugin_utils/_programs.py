# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs the collection ships, by platform. Reads `_native` and nothing else.

A program's name there is a link to a file that holds several: a target keeps that file once for all of them.
"""

from __future__ import annotations

import functools
import hashlib
import os

# What `uname -sm` prints on each platform we build for.
UNAME = {
    "freebsd-aarch64": "FreeBSD arm64",
    "freebsd-x86_64": "FreeBSD amd64",
    "linux-aarch64": "Linux aarch64",
    "linux-x86_64": "Linux x86_64",
}

NATIVE = os.path.join(os.path.dirname(__file__), "_native")


class Program:
    """One built program. `uname` is its platform in uname's words, `size` in bytes."""

    def __init__(self, platform, name, path):
        self.name, self.path, self.uname = name, os.path.realpath(path), UNAME[platform]
        found = os.stat(self.path)
        self.size = found.st_size
        self.sha256 = _sha256(self.path, found.st_size, found.st_mtime_ns)
        # The platform is part of the name: hosts of two kinds may share one home.
        self.kind = "%s-%s" % (os.path.basename(self.path), platform)
        self.kept_name = "%s-%s" % (self.kind, self.sha256)

    def contents(self):
        """The program's bytes, read again: most tasks never need them."""
        with open(self.path, "rb") as file:
            return file.read()


@functools.lru_cache(maxsize=None)
def _sha256(path, _size, _changed):
    """The digest of a file as it was; each is read once per run of Ansible, unless it changes."""
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def built(name, native=NATIVE):
    """The programs called `name`, by their uname; empty where none was built."""
    found = {}
    for platform in sorted(UNAME):
        path = os.path.join(native, platform, name)
        if os.path.isfile(path):
            found[UNAME[platform]] = Program(platform, name, path)
    return found
