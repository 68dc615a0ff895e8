# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in for nmdm(4): two terminals, each of which reads what is written to the other. Unlike FreeBSD's it keeps what nobody reads."""

from __future__ import annotations

import os
import pty
import select
import threading
import tty


class NullModem:
    """Its halves are links in a folder, `NAME.A` and `NAME.B` without the dot."""

    def __init__(self, folder, name):
        self.halves, self.masters = {}, []
        for half in "AB":
            master, slave = pty.openpty()
            tty.setraw(slave)
            path = folder / f"{name}{half}"
            path.symlink_to(os.ttyname(slave))
            self.halves[half], self.masters = str(path), [*self.masters, (master, slave)]
        self.ended, self.end = os.pipe()
        threading.Thread(target=self._carry, daemon=True).start()

    def _carry(self):
        (first, _slave), (second, _other) = self.masters
        across = {first: second, second: first}
        while True:
            ready, _writable, _broken = select.select([self.ended, *across], [], [])
            if self.ended in ready:
                return
            for side in ready:
                os.write(across[side], os.read(side, 4096))

    def serial(self):
        """The port of a domain's definition."""
        return "<serial type='nmdm'><source master='%s' slave='%s'/></serial>" % (self.halves["A"], self.halves["B"])

    def close(self):
        os.close(self.end)
        for path in self.halves.values():
            os.unlink(path)
