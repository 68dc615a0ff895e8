# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""bhyve_catalog_key."""

from __future__ import annotations

import shutil
import tempfile

from scene import Scene

PUBLIC = ("result/key.pub", "result/trusted/images")


class NewKey(Scene):
    """Each run makes another key, so what counts is whether it is whole, and whether the other files are its own."""

    program = "bhyve_catalog_key"
    secret = b"PRIVATE KEY"
    promises = {path: ["result/key"] for path in PUBLIC}

    def options(self, folder=None):
        folder = folder or self.result
        return {"path": f"{folder}/key", "fingerprint": f"{folder}/trusted/images", "type": "eddsa"}

    def read(self, path, data):
        if path == "key":
            return "a whole key" if data.endswith(b"-----END PRIVATE KEY-----\n") and len(data) == 119 else f"{len(data)} bytes of a key"
        return "the key's" if data == self.made_of_the_key(path) else "not the key's"

    def made_of_the_key(self, path):
        """What the program makes of a copy of the key that is there."""
        if not (self.result / "key").exists():
            return None
        with tempfile.TemporaryDirectory(dir=self.lab.folder) as copy:
            shutil.copy(self.result / "key", copy)
            self.lab.do("bhyve_catalog_key", self.options(copy))
            with open(f"{copy}/{path}", "rb") as file:
                return file.read()


class LostPublicKey(NewKey):
    """The private key is there, and one of the other files belongs to another one."""

    def lay_out(self):
        shutil.copy(self.lab.key, self.result / "key")
        (self.result / "trusted").mkdir()
        (self.result / "trusted/images").write_text("another key's\n")
