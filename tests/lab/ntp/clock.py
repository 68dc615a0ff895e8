# SPDX-License-Identifier: GPL-3.0-or-later
# GPL-3.0-or-later
"""The shared virtual clock of shim.c, and the keeper that moves it only while every daemon is idle."""

import mmap
import os
import struct
import time

from patience import patience

SLOTS = 64
SLOT = struct.Struct("iiqII")
HEAD = struct.Struct("qqqqqqqqqqiIIIII")
SLOTS_AT = (HEAD.size + 7) // 8 * 8
SIZE = SLOTS_AT + SLOTS * SLOT.size

NOW, OFFSET, SLEW, SINCE, FREQ, MAXERROR, ADJUSTED_AT, ADJUSTED_BY, SUSPENDED, SET = (8 * index for index in range(10))
STATUS, EPOCH, ACTIVITY, LOCK, ADJUSTMENTS, REFUSES = (80 + 4 * index for index in range(6))

SECOND = 1_000_000_000
NEVER = (1 << 63) - 1
SLEW_PPM = 500


class Stuck(Exception):
    """A daemon neither works nor waits: the lab itself is broken."""


class Clock:
    """One virtual clock: true time, and the system clock that the daemon under test steers."""

    def __init__(self, path, start):
        with open(path, "wb") as file:
            file.write(bytes(SIZE))
        os.chmod(path, 0o666)
        self.file = os.open(path, os.O_RDWR)
        self.memory = mmap.mmap(self.file, SIZE)
        self.put("q", NOW, start * SECOND)
        self.put("q", SINCE, start * SECOND)
        self.put("q", MAXERROR, start * SECOND)
        self.start = start * SECOND

    def get(self, kind, at):
        return struct.unpack_from(kind, self.memory, at)[0]

    def put(self, kind, at, value):
        struct.pack_into(kind, self.memory, at, value)

    @property
    def now(self):
        """True time in nanoseconds."""
        return self.get("q", NOW)

    @property
    def error(self):
        """System clock minus true time, in seconds; what the daemon under test tries to keep at zero."""
        elapsed = self.now - self.get("q", SINCE)
        left = self.get("q", SLEW)
        most = elapsed * SLEW_PPM // 1_000_000
        slewed = max(left, -most) if left < 0 else min(left, most)
        drift = elapsed * self.get("q", FREQ) / 1e9
        return (self.get("q", OFFSET) + slewed + drift) / SECOND

    @property
    def adjustments(self):
        """How many times the daemon has ordered an adjustment."""
        return self.get("I", ADJUSTMENTS)

    @property
    def adjusted_by(self):
        """What the last adjustment was, in seconds."""
        return self.get("q", ADJUSTED_BY) / SECOND

    @property
    def adjusted_ago(self):
        """Seconds since the last adjustment."""
        return (self.now - self.get("q", ADJUSTED_AT)) / SECOND

    def waiters(self):
        """(pid, waiting, deadline, acked) of every live, running daemon process."""
        live = []
        for index in range(SLOTS):
            pid, waiting, deadline, acked, _ = SLOT.unpack_from(self.memory, SLOTS_AT + index * SLOT.size)
            if pid == 0:
                continue
            state = process_state(pid)
            if state in "ZX":
                struct.pack_into("i", self.memory, SLOTS_AT + index * SLOT.size, 0)
            elif state not in "Tt":
                live.append((pid, waiting, deadline, acked))
        return live

    def settle(self, serve):
        """Waits until every daemon has looked at its descriptors and found nothing, twice without a change."""
        calm = 0
        limit = time.monotonic() + patience(300)
        while calm < 2:
            busy = serve()
            before = self.get("I", ACTIVITY)
            epoch = (self.get("I", EPOCH) + 1) & 0xFFFFFFFF
            self.put("I", EPOCH, epoch)
            while not all(waiting and acked == epoch for _, waiting, _, acked in self.waiters()):
                busy = serve() or busy
                if time.monotonic() > limit:
                    raise Stuck(f"no rest: {self.waiters()}")
                time.sleep(0.0001)
            calm = 0 if busy or self.get("I", ACTIVITY) != before else calm + 1

    def next_deadline(self):
        """In true time; what they wait by stands still in a suspend."""
        deadline = min((deadline for _, _, deadline, _ in self.waiters()), default=NEVER)
        return min(deadline + self.get("q", SUSPENDED), NEVER)

    # What happens to a clock from outside, while every daemon waits

    def refuse(self):
        """From now on nobody may set this clock."""
        self.put("I", REFUSES, 1)

    def set_by(self, seconds):
        """Somebody sets the system clock."""
        for at in (OFFSET, SET):
            self.put("q", at, self.get("q", at) + int(seconds * SECOND))

    def suspend(self, seconds, lost):
        """Nothing runs and nothing is slewed; the battery clock, by which the system clock is set afterwards, has `lost` some of it."""
        length = int(seconds * SECOND)
        for at in (NOW, SUSPENDED, SINCE):
            self.put("q", at, self.get("q", at) + length)
        # By the system's own clocks so much less time has passed in it.
        for at in (OFFSET, SUSPENDED):
            self.put("q", at, self.get("q", at) - int(lost * SECOND))


def process_state(pid):
    """The letter of /proc/PID/stat; X for a process that is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return "X"
