# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Long work on a target: it stands apart from the connection, is asked after, and ends when nobody asks any more."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import time

from ansible.errors import AnsibleConnectionFailure
from ansible_collections.apiary.bhyve.plugins.plugin_utils._exchange import Answer, line

# Seconds that a later exchange waits for the end.
ROUND = 2


class Job:
    """One run of a program, by an identity of our own choosing: it can be asked after whatever was answered."""

    # Seconds that the first exchange waits for the end, and that a program goes on when nobody asks after it: the time a
    # broken connection has to come back.
    grace, lease = 2, 120

    def __init__(self, limit=0, interval=0, detached=False, identity=None):
        """`limit` and `interval` in seconds, 0 for none; a `detached` job is started and left to itself."""
        self.identity = identity or secrets.token_hex(8)
        self.limit, self.interval, self.detached = limit, interval, detached

    def values(self):
        """What the scripts need to know. A detached one ends at its limit, and keeps its reply until somebody fetches it."""
        ends = {"grace": 0, "lease": self.limit} if self.detached else {"grace": self.grace, "lease": self.lease}
        return dict(ends, job=self.identity, detached="yes" if self.detached else "", steps=4 * (self.interval or ROUND))


class Watcher:
    """Follows a job to its end over connections that may break."""

    def __init__(self, exchange, reset, show):
        """`exchange(command, stdin)` gives an Answer, `reset()` drops a broken connection, `show(detail)` shows progress."""
        self.exchange, self.reset, self.show = exchange, reset, show

    def follow(self, job):
        """Returns the job's answer; ends the job when its time is up, or this process or Ansible is told to stop."""
        deadline = time.monotonic() + job.limit if job.limit else None
        ansible = os.getppid()
        with ended_by_signal(lambda: self.forget(job)):
            while True:
                answer = self.ask(job)
                if answer.word != "busy":
                    break
                self.show(answer.detail)
                expired = deadline and time.monotonic() > deadline
                # Before 2.20 a worker does not end with Ansible; nobody reads what it would still say.
                if expired or os.getppid() != ansible:
                    self.forget(job)
                    return Answer("expired", str(job.limit), "", "", 0)
        self.show("")
        if answer.word in ("run", "lost"):
            self.forget(job)
        return answer

    def forget(self, job):
        """Removes what is left of an ended job; ends one that still works."""
        self._tell("cancel", job)

    def ask(self, job):
        """One look at the job; a broken connection has as long to come back as the job goes on alone."""
        patience = time.monotonic() + job.lease
        pause = 1
        while True:
            try:
                return self._tell("ask", job)
            except AnsibleConnectionFailure:
                if time.monotonic() + pause > patience:
                    raise
                time.sleep(pause)
                pause = min(2 * pause, 10)
                with contextlib.suppress(Exception):
                    self.reset()

    def _tell(self, script, job):
        return self.exchange(line(["common", script], job), b"\n")


class _Stopped(BaseException):
    """This process was told to stop."""


_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextlib.contextmanager
def ended_by_signal(cancel):
    """Calls `cancel` before SIGINT or SIGTERM takes its ordinary course."""

    def stop(number, _frame):
        # Ctrl-C brings both, and the other one may be noted already: Python complains on the terminal where it then finds
        # SIG_IGN.
        _handle(dict.fromkeys(_SIGNALS, _no_more))
        raise _Stopped(number)

    before = {number: signal.getsignal(number) for number in _SIGNALS}
    try:
        try:
            _handle(dict.fromkeys(_SIGNALS, stop))
            yield
        finally:
            if signal.getsignal(signal.SIGINT) is stop:
                _handle(before)
    except _Stopped as stopped:
        # What `cancel` starts ignores them, too.
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        _handle(dict.fromkeys(_SIGNALS, signal.SIG_IGN))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        with contextlib.suppress(Exception):
            cancel()
        _handle(before)
        signal.raise_signal(stopped.args[0])


def _no_more(_number, _frame):
    """The first signal is being obeyed."""


def _handle(handlers):
    for number, handler in handlers.items():
        signal.signal(number, handler)
