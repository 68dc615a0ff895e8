# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""bhyve_image: packages, each with a record that vouches for this very file."""

from __future__ import annotations

import json
import shutil

import tree
from scene import Scene


class Fetched(Scene):
    """The store is empty."""

    program = "bhyve_image"
    promises = {"result/demo-1.json": ["result/demo-1.pkg"]}

    @property
    def origin(self):
        return self.here / "origin"

    def lay_out(self):
        shutil.copytree(self.lab.stock / "older", self.origin)

    def options(self):
        return {"name": "demo", "repository": str(self.origin), "store": str(self.result), **self.lab.trust()}

    def read(self, path, data):
        if not path.endswith(".json"):
            return super().read(path, data)
        try:
            record = json.loads(data)
        except ValueError:
            return f"a broken record, {tree.digest(data)}"
        vouches = self.is_of(record.pop("file"), self.result / path.replace(".json", ".pkg"))
        return f"a record that {'vouches' if vouches else 'does not vouch'} for {json.dumps(record, sort_keys=True)}"

    @staticmethod
    def is_of(identity, package):
        """Whether a record speaks of the file that is there."""
        if not package.exists():
            return False
        found = package.stat()
        return identity["inode"] == found.st_ino and identity["size"] == found.st_size


class Newer(Fetched):
    """The store has an older image, which stays."""

    promises = {"result/demo-2.json": ["result/demo-2.pkg"]}

    def lay_out(self):
        super().lay_out()
        self.lab.do(self.program, self.options())
        shutil.rmtree(self.origin)
        shutil.copytree(self.lab.stock / "newer", self.origin)

    def options(self):
        return {**super().options(), "state": "latest"}


class Removed(Fetched):
    """An image goes, and what vouches for it goes first."""

    promises = {"result/demo-1.pkg": ["result/demo-1.json"]}

    def lay_out(self):
        super().lay_out()
        self.lab.do(self.program, super().options())

    def options(self):
        return {**super().options(), "state": "absent"}
