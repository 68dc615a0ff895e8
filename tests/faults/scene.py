# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a scene is: a program that is asked for one change."""

from __future__ import annotations

import json
import re

import tree

# Whatever is called so, nobody takes for the thing itself.
HIDDEN = re.compile(r"(^|/)\.[^/]+$")


class Scene:
    """A change that a program is asked for, and how its readers see whether it is made, not made, or half made."""

    # The program, by the name of its module.
    program = ""
    # Paths, and what must be as wanted once they are: no list names what is not there.
    promises: dict[str, list[str]] = {}
    # Whether a look that fails makes the run fail.
    looks = True
    # Folders of programs that stand in for others.
    tools: list = []
    # Bytes that nobody but their owner may read, wherever they are.
    secret: bytes | None = None

    def __init__(self, lab):
        self.lab = lab
        # For one run: what the program works on, and where temporary files go.
        self.here = lab.folder / "here"
        self.result = self.here / "result"
        self.temporary = self.here / "tmp"

    @classmethod
    def name(cls):
        """What the scene is called on the command line."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()

    def lay_out(self):
        """Puts what is there before the run into `result`, which is empty."""

    def options(self):
        """The module's options."""
        return {}

    def words(self):
        """The command line after the program's name."""
        return ["-"]

    def stdin(self):
        return json.dumps(self.options())

    def read(self, _path, data):
        """What readers see in a file of this path in `result`, without what differs from run to run for a good reason."""
        return tree.digest(data)

    def called(self, path):
        """A path without what differs from run to run."""
        return path

    def claims(self, _run):
        """The paths that a run claims to have made as wanted where it says that all went well; None for all of them."""
        return None

    def admits(self, run):
        """Whether a run that failed says so, once."""
        return run.stdout.count("\n") == 1 and json.loads(run.stdout).get("failed", False)

    def look(self):
        """What is there now, by path."""
        places = (self.result, self.temporary)
        found = {f"{place.name}/{path}": entry for place in places for path, entry in tree.look(place, self.content).items()}
        return {self.called(path): entry for path, entry in found.items()}

    def content(self, path, data):
        """What is in a file; who has held a lock does not matter, and nobody reads what is hidden."""
        if path.endswith("lock"):
            return "a lock"
        return tree.digest(data) if HIDDEN.search(path) else self.read(path, data)

    def shown_secrets(self):
        """Files with the secret that others can read."""
        if self.secret is None:
            return []
        files = [path for path in self.here.rglob("*") if path.is_file()]
        return [path for path in files if path.stat().st_mode & 0o077 and self.secret in path.read_bytes()]
