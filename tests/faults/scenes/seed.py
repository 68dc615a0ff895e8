# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""guest_seed."""

from __future__ import annotations

from scene import Scene

HASH = "$6$saltsalt$hashhashhash"


class NewSeed(Scene):
    """A seed where there is none, and no folder for it."""

    program = "guest_seed"
    secret = HASH.encode()

    def options(self, **more):
        return {"path": str(self.result / "seeds/web1.seed"), "name": "web1", "family": "linux", "addresses": ["192.0.2.11/24"],
                "users": [{"name": "web", "password_hash": HASH}], **more}


class Present(NewSeed):
    """A seed is there."""

    def lay_out(self):
        self.lab.do(self.program, NewSeed.options(self))


class ChangedSeed(Present):
    """The guest gets another name."""

    def options(self):
        return super().options(hostname="web1.example.org")


class NoSeed(Present):
    """It is removed."""

    def options(self):
        return super().options(state="absent")
