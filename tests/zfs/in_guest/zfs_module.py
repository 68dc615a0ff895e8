# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in the guest: how the scripts here start the module and ask zfs."""

import json
import subprocess

PROGRAM = "/root/zfs_receive"


def start(options):
    """The module at work; its reply is what it prints."""
    process = subprocess.Popen([PROGRAM, "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    process.stdin.write(json.dumps(options))
    process.stdin.close()
    return process


def reply(process):
    """What a run has replied, with its exit status as `rc`."""
    out = process.stdout.read()
    return dict(json.loads(out or "{}"), rc=process.wait())


def run(options):
    """Runs the module to its end."""
    return reply(start(options))


def zfs(*words):
    """The lines that a zfs command prints, each taken apart at its tabs."""
    done = subprocess.run(["zfs", *words], stdout=subprocess.PIPE, text=True, check=True)
    return [line.split("\t") for line in done.stdout.splitlines()]


def sha256(path, size=None):
    """Digest of a file's, or a device's, first `size` bytes; of all of it without."""
    command = "sha256sum" if size is None else "head -c %d | sha256sum" % size
    with open(path, "rb") as file:
        done = subprocess.run(["sh", "-c", command], stdin=file, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.split()[0]
