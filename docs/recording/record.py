# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs commands in a terminal of their own and writes what was seen, and when, as an asciicast (version 2).

record.py CAST TITLE COMMAND... Each command is shown as if typed, then run by a shell. Times are real; a player may shorten pauses.
"""

import fcntl
import json
import os
import pty
import re
import struct
import sys
import termios
import time

COLUMNS, LINES = 120, 30
PROMPT, OFF = "\x1b[1;32m$\x1b[0m ", "\r\n"
# Anything but colours would need a terminal to be played: it would be a mistake to record it.
SEQUENCE = re.compile(rb"\x1b(?!\[[0-9;]*m)")


class Recording:
    """What has been seen so far, by seconds since the beginning."""

    def __init__(self):
        self.started, self.seen = time.monotonic(), []

    def write(self, text):
        self.seen.append([round(time.monotonic() - self.started, 3), "o", text])

    def type(self, command):
        """A command at the prompt, letter by letter."""
        self.write(PROMPT)
        for letter in command:
            time.sleep(0.03)
            self.write(letter)
        time.sleep(0.4)
        self.write(OFF)

    def run(self, command):
        """What a command prints, as it comes; a failure ends the recording."""
        child, terminal = pty.fork()
        if child == 0:
            os.execvp("bash", ["bash", "-c", command])
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        while chunk := _read(terminal):
            if found := SEQUENCE.search(chunk):
                sys.exit(f"record: expected colours and text only, found {chunk[found.start():found.start() + 12]!r}")
            self.write(chunk.decode())
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if status:
            sys.exit(f"record: {command}: exit status {status}\n" + "".join(event[2] for event in self.seen))


def _read(terminal):
    """Whole lines where they come whole; a letter is never cut in two by it, for what is printed ends with its line."""
    try:
        chunk = os.read(terminal, 65536)
        while chunk and not chunk.endswith(b"\n"):
            chunk += os.read(terminal, 65536)
        return chunk
    except OSError:
        # How Linux says that the other side has been closed.
        return b""


def main(path, title, *commands):
    recording = Recording()
    for command in commands:
        recording.type(command)
        recording.run(command)
        time.sleep(1.5)
    recording.write(PROMPT)
    head = {"version": 2, "width": COLUMNS, "height": LINES, "title": title, "idle_time_limit": 2}
    with open(path, "w", encoding="utf-8") as file:
        for line in [head, *recording.seen]:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


main(*sys.argv[1:])
