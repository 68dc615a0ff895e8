# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""zfs_swap with raw files."""

from __future__ import annotations

from scene import Scene

KEPT = ".old-20261122T181500Z"


class Renamed(Scene):
    """A volume gets another name, and what is kept of it."""

    program = "zfs_swap"
    # What is kept has the new name after the volume itself.
    promises = {f"result/www1.raw{KEPT}": ["result/www1.raw"]}

    def lay_out(self):
        for name in ("", KEPT):
            (self.result / f"web1.raw{name}").write_text(f"web1{name}")

    def options(self):
        return {"path": str(self.result / "www1.raw"), "from": str(self.result / "web1.raw"), "state": "renamed"}
