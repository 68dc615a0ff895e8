# SPDX-License-Identifier: GPL-3.0-or-later
# GPL-3.0-or-later
"""Four small NTP servers. They serve true time plus an offset of their own, and misbehave on order."""

import heapq
import random
import select
import socket
import struct

SECOND = 1_000_000_000
NTP_TO_UNIX = 2_208_988_800
PORT = 123


def stamp(nanoseconds):
    """An NTP timestamp."""
    seconds, rest = divmod(nanoseconds, SECOND)
    return ((seconds + NTP_TO_UNIX) & 0xFFFFFFFF) << 32 | (rest << 32) // SECOND


class Server:
    """One server on its own address."""

    def __init__(self, address, delay, offset=0.0, stratum=2):
        self.address = address
        self.delay = delay
        self.offset = offset
        self.stratum = stratum
        self.mode = "normal"  # or alarm, kiss, unsynchronised, silent
        self.asked = 0
        self.socket = None
        self.open()

    def open(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((self.address, PORT))
        self.socket.setblocking(False)

    def close(self):
        """From now on the port is closed: the kernel refuses queries."""
        self.socket.close()
        self.socket = None

    def answer(self, query, now):
        """The packet for a query that is at the server at time `now`."""
        here = now + int(self.offset * SECOND)
        # Each follows a source of its own: several that follow one have one vote.
        leap, stratum, refid = 0, self.stratum, socket.inet_aton("198.51.100." + self.address.rsplit(".", 1)[1])
        if self.mode == "alarm":
            leap = 3
        if self.mode == "unsynchronised":
            stratum = 16
        if self.mode == "kiss":
            leap, stratum, refid = 3, 0, b"RATE"
        head = struct.pack("!BBbb", leap << 6 | 4 << 3 | 4, stratum, query[2] % 18, -20)
        root = struct.pack("!II", 65536 // 100, 65536 // 200)
        times = struct.pack("!QQQQ", stamp(here - 30 * SECOND), struct.unpack_from("!Q", query, 40)[0], stamp(here), stamp(here))
        return head + root + refid + times


class World:
    """All servers, and the packets that are on their way. A path takes virtual time, never real time."""

    def __init__(self, clock, servers, seed=0):
        self.clock = clock
        self.servers = servers
        self.utc = 0.0  # what a leap second has done to the time that all of them serve
        self.moving = []
        self.count = 0
        self.random = random.Random(1712 + seed)

    def serve(self):
        """Takes every query that has arrived; says whether there was one."""
        found = False
        sockets = {server.socket: server for server in self.servers if server.socket}
        for ready in select.select(list(sockets), [], [], 0)[0]:
            server = sockets[ready]
            while True:
                try:
                    query, client = ready.recvfrom(1024)
                except BlockingIOError:
                    break
                found = True
                server.asked += 1
                if len(query) >= 48:
                    self.push(self.way(server), "reach", server, query, client)
        return found

    def way(self, server):
        """One way in nanoseconds. Noisy enough that the daemon keeps its polls short, as on any real network."""
        return int((server.delay / 2 + self.random.uniform(0, 0.008)) * SECOND)

    def push(self, delay, *event):
        self.count += 1
        heapq.heappush(self.moving, (self.clock.now + delay, self.count, event))

    def hold(self, event):
        """Puts an event back that was taken out."""
        heapq.heappush(self.moving, event)

    def next_event(self):
        return self.moving[0][0] if self.moving else (1 << 63) - 1

    def fire(self):
        """Everything whose moment has come."""
        while self.moving and self.moving[0][0] <= self.clock.now:
            what, server, payload, client = heapq.heappop(self.moving)[2]
            if what == "reach":
                now = self.clock.now + int(self.utc * SECOND)
                self.push(self.way(server), "return", server, (payload, now), client)
            elif server.socket and server.mode != "silent":
                server.socket.sendto(server.answer(*payload), client)  # a server that turns bad has no good reply on its way
