# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A catalogue's lists as clients read them. Their bytes change with each publication, by a serial number."""

from __future__ import annotations

import json
import shutil
import subprocess

from patience import patience

import tree


class Client:
    """A client of catalogues, which verifies what it reads."""

    def __init__(self, lab):
        self.lab = lab
        self.known = {}

    def reads(self, name, data):
        """What the list of this name and content says."""
        if data not in self.known:
            self.known[data] = self.ask(name, data)
        return self.known[data]

    def ask(self, name, data):
        # Where one of the two lists is missing, clients take the other one.
        folder = self.lab.folder / "read"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        shutil.copy(self.lab.stock / "older/meta.conf", folder)
        (folder / name).write_bytes(data)
        options = {"repository": str(folder), "store": str(folder / "store"), **self.lab.trust()}
        done = subprocess.run([self.lab.program("bhyve_image_info"), "-"], input=json.dumps(options), capture_output=True, text=True,
                              env=self.lab.environment(folder), timeout=patience(60))
        reply = json.loads(done.stdout)
        if reply.get("failed"):
            return f"unreadable ({tree.digest(data)}): {reply['msg']}"
        images = [f"{image['name']}-{image['version']} {image['sha256'][:12]}" for image in reply["catalogue"]]
        return "a list of " + (" and ".join(images) or "nothing")
