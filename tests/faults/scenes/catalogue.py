# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""bhyve_catalog."""

from __future__ import annotations

import shutil
import subprocess

from client import Client
from scene import Scene

LISTS = ("result/data.pkg", "result/packagesite.pkg", "result/index.html")


class FirstImage(Scene):
    """A catalogue begins."""

    program = "bhyve_catalog"
    promises = {path: ["result/All/demo-1.pkg"] for path in LISTS}

    def __init__(self, lab):
        super().__init__(lab)
        self.client = Client(lab)

    def options(self):
        return self.lab.publish(self.result, "1")

    def read(self, path, data):
        if path in ("data.pkg", "packagesite.pkg"):
            return self.client.reads(path, data)
        return super().read(path, data)


class NextImage(FirstImage):
    """A catalogue that lists an image gets another one."""

    promises = {path: ["result/All/demo-2.pkg"] for path in LISTS}

    def lay_out(self):
        shutil.copytree(self.lab.stock / "older", self.result, dirs_exist_ok=True)

    def options(self):
        return self.lab.publish(self.result, "2")


class PackedDisk(NextImage):
    """The same from a qcow2 disk, of which there is a raw copy meanwhile."""

    def __init__(self, lab):
        super().__init__(lab)
        self.qcow2 = lab.stock / "disk.qcow2"
        subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", lab.disk, self.qcow2], check=True)

    def options(self):
        return self.lab.publish(self.result, "2", source=str(self.qcow2))


class Withdrawn(FirstImage):
    """An image is taken out of the lists before its package goes."""

    promises = {"result/All/demo-1.pkg": list(LISTS)}

    def lay_out(self):
        shutil.copytree(self.lab.stock / "older", self.result, dirs_exist_ok=True)

    def options(self):
        return self.lab.withdraw(self.result, "1")
