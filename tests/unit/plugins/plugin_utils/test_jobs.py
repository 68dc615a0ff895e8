# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A worker that is told to stop ends its job first, and says nothing of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

# Both signals come in one moment, as from Ctrl-C; then one more, while the job is being cancelled.
WORKER = """
import os, signal, sys
from ansible_collections.apiary.bhyve.plugins.plugin_utils._jobs import ended_by_signal

BOTH = {signal.SIGINT, signal.SIGTERM}

def send(numbers):
    signal.pthread_sigmask(signal.SIG_BLOCK, BOTH)
    for number in numbers:
        os.kill(os.getpid(), number)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, BOTH)

def cancel():
    send(BOTH)
    print("cancelled", flush=True)

signal.signal(signal.SIGINT, signal.SIG_DFL)
with ended_by_signal(cancel):
    send([int(number) for number in sys.argv[1:]])
print("went on", flush=True)
"""


@pytest.mark.parametrize("numbers, end", [("2", -2), ("15", -15), ("2 15", -2), ("15 2", -2)])
def test_a_stopped_worker_cancels_once_and_obeys(numbers, end):
    done = subprocess.run([sys.executable, "-c", WORKER, *numbers.split()], capture_output=True, text=True)
    assert (done.stdout, done.stderr, done.returncode) == ("cancelled\n", "", end)


def test_one_that_nobody_stops_goes_on():
    done = subprocess.run([sys.executable, "-c", WORKER], capture_output=True, text=True)
    assert (done.stdout, done.stderr, done.returncode) == ("went on\n", "", 0)
