# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Either end of a move of a raw file, but for the stream itself, which the delivery of what it holds is cut in by tests/lab."""

from __future__ import annotations

import os

from scenes.volume import Blank, NewVolume

ARRIVED = "user.apiary.bhyve.arrived"


class PlaceTaken(Blank):
    """Nobody shall make another volume of the name, and it tells what arrives."""

    program = "volume_stream"

    def options(self):
        return {"path": str(self.volume), "state": "expected", "take": True, "properties": {"volume": '{"blank": 1048576}'}}


class MoveFinished(NewVolume):
    """What has arrived gets its name."""

    program = "volume_stream"

    def lay_out(self):
        self.lab.do("zfs_receive", NewVolume.options(self))
        os.setxattr(self.volume, ARRIVED, b"7")
        self.volume.rename(self.result / "web1.move")

    def options(self):
        return {"path": str(self.volume), "state": "finished", "guid": "7"}


class GivenAway(NewVolume):
    """It is removed where it was, as long as it is what was sent."""

    program = "volume_stream"

    def lay_out(self):
        self.lab.do("zfs_receive", NewVolume.options(self))
        self.sent = self.lab.do(self.program, {"path": str(self.volume), "state": "offered"})["volume"]["guid"]

    def options(self):
        return {"path": str(self.volume), "state": "given", "guid": self.sent}
