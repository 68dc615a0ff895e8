# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A distant host on loopback: delay_relay.py LISTEN_PORT TARGET_PORT MILLISECONDS holds every byte back, each way."""

from __future__ import annotations

import asyncio
import socket
import sys


async def carry(reader, writer, delay):
    """Passes bytes on, each `delay` seconds after it came; later ones do not wait for earlier ones' delay."""
    clock = asyncio.get_running_loop()
    queue = asyncio.Queue()

    async def deliver():
        while (item := await queue.get()) is not None:
            due, data = item
            await asyncio.sleep(max(0, due - clock.time()))
            writer.write(data)
            await writer.drain()
        writer.close()

    task = asyncio.create_task(deliver())
    try:
        while data := await reader.read(1 << 16):
            queue.put_nowait((clock.time() + delay, data))
    finally:
        queue.put_nowait(None)
        await asyncio.gather(task, return_exceptions=True)


async def main(listen, target, delay):
    async def relay(reader, writer):
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", target)
        for each in (writer, far_writer):
            each.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        ways = (carry(reader, far_writer, delay), carry(far_reader, writer, delay))
        await asyncio.gather(*ways, return_exceptions=True)

    server = await asyncio.start_server(relay, "127.0.0.1", listen)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]) / 1000))
