# SPDX-License-Identifier: GPL-3.0-or-later
# GPL-3.0-or-later
"""Four NTP servers in real time that agree on a clock one second ahead of this machine's; the last one announces alarm. It
returns when they can be asked; they end with the namespace."""

import os
import selectors
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lab/ntp"))
from servers import Server  # noqa: E402


def main():
    """Binds them all, and leaves a child that serves until it is killed."""
    waiting = selectors.DefaultSelector()
    for last in range(1, 5):
        server = Server(f"10.99.0.{last}", delay=0, offset=1.0)
        server.mode = "alarm" if last == 4 else "normal"
        waiting.register(server.socket, selectors.EVENT_READ, server)
    if os.fork():
        return
    while True:
        for key, _ in waiting.select():
            query, client = key.fileobj.recvfrom(1024)
            if len(query) >= 48:
                key.fileobj.sendto(key.data.answer(query, time.time_ns()), client)


if __name__ == "__main__":
    main()
