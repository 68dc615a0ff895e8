# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""bhyve_catalog_mirror."""

from __future__ import annotations

import shutil

from scene import Scene

LISTS = ("result/data.pkg", "result/packagesite.pkg")


class NewMirror(Scene):
    """A mirror begins."""

    program = "bhyve_catalog_mirror"
    promises = {path: ["result/All/demo-1.pkg"] for path in LISTS}

    @property
    def origin(self):
        return self.here / "origin"

    def lay_out(self):
        shutil.copytree(self.lab.stock / "older", self.origin)

    def options(self):
        return {"path": str(self.result), "repository": str(self.origin), **self.lab.trust()}


class ChangedOrigin(NewMirror):
    """The catalogue that is mirrored has one image more and one less than before."""

    promises = {
        **{path: ["result/All/demo-2.pkg"] for path in LISTS},
        "result/All/demo-1.pkg": list(LISTS),
    }

    def lay_out(self):
        super().lay_out()
        self.lab.do(self.program, self.options())
        shutil.rmtree(self.origin)
        shutil.copytree(self.lab.stock / "newer", self.origin)
