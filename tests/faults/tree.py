# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is in a folder, in a form in which two folders can be compared."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import stat


@dataclasses.dataclass(frozen=True)
class Entry:
    """One file or folder: its permission bits, and its content as its readers see it."""

    mode: int
    content: object

    def __str__(self):
        return f"{self.content} with mode {self.mode:04o}"


def look(folder, read):
    """Everything below a folder by relative path. `read` gives the content of a file with this path and these bytes."""
    found = {}
    for place, folders, files in os.walk(folder):
        for name in folders + files:
            path = os.path.join(place, name)
            shown = os.path.relpath(path, folder)
            kind = os.lstat(path)
            content = "a folder"
            if stat.S_ISREG(kind.st_mode):
                with open(path, "rb") as file:
                    content = read(shown, file.read())
            elif not stat.S_ISDIR(kind.st_mode):
                content = "no file and no folder"
            found[shown] = Entry(stat.S_IMODE(kind.st_mode), content)
    return found


def digest(data):
    """What bytes are called in messages."""
    return f"{len(data)} bytes {hashlib.sha256(data).hexdigest()[:12]}"
