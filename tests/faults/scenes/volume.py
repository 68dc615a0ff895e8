# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""zfs_receive into raw files, each with a mark that says which image it holds."""

from __future__ import annotations

import json
import os
import re

import tree
from lab import STREAMS
from scene import Scene


class NewVolume(Scene):
    """A volume where there is none."""

    program = "zfs_receive"

    @property
    def volume(self):
        return self.result / "web1"

    def options(self, stream="tiny-plain.zfs"):
        return {"path": str(self.volume), "src": str(STREAMS / stream)}

    def called(self, path):
        # The date of a replacement.
        return re.sub(r"\.old-\w+$", ".old", path)

    def read(self, path, data):
        return f"{tree.digest(data)} {self.mark(self.result / path)}"

    def mark(self, path):
        """What the file says of itself, and whether it was written to since."""
        try:
            mark = json.loads(os.getxattr(path, "user.apiary.bhyve.volume"))
        except OSError:
            return "without a mark"
        except ValueError:
            return "unfinished"
        found = path.stat()
        pristine = mark.pop("mtime") == [int(found.st_mtime_ns // 10**9), found.st_mtime_ns % 10**9]
        return f"{'as received' if pristine else 'written to'}, {json.dumps(mark, sort_keys=True)}"


class Present(NewVolume):
    """A volume is there."""

    def lay_out(self):
        self.lab.do(self.program, NewVolume.options(self))


class Replaced(Present):
    """Another image takes its name, and it is kept under a dated one."""

    promises = {"result/web1": ["result/web1.old"]}

    def options(self):
        return {**super().options("zoff-plain.zfs"), "replace": True}


class Continued(Present):
    """An incremental stream goes onto it."""

    def options(self):
        return super().options("tiny-incr.zfs")


class Grown(Present):
    """It becomes larger."""

    def options(self):
        return {**super().options(), "volsize": "2M"}

    def mark(self, path):
        # No call makes a file larger and lets it keep its time. Where a run ends between the two that it takes, the volume is as
        # wanted but counts as written to: an incremental stream is refused from then on.
        return super().mark(path).replace("written to", "as received")


class Gone(Present):
    """It is removed."""

    def options(self):
        return {"path": str(self.volume), "state": "absent"}


class Blank(NewVolume):
    """A volume that is made empty."""

    def options(self):
        return {"path": str(self.volume), "blank": True, "volsize": "1M"}

    def mark(self, path):
        # It holds no time: what is in the volume is its guest's.
        try:
            return os.getxattr(path, "user.apiary.bhyve.volume").decode()
        except OSError:
            return "without a mark"


class BlankGrown(Blank):
    """It becomes larger."""

    def lay_out(self):
        self.lab.do(self.program, Blank.options(self))

    def options(self):
        return {**super().options(), "volsize": "2M"}
