# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The disk of a guest on one host becomes an image in the catalogue of another one: what is asked of either, in which order."""

from __future__ import annotations

from ansible_collections.apiary.bhyve.plugins.plugin_utils import _ends as ends, _programs as programs
from ansible_collections.apiary.bhyve.plugins.plugin_utils._links import Refused
from ansible_collections.apiary.bhyve.plugins.plugin_utils._streaming import VOLUMES, Host, Side, check_connections, connect

# Reads the programs: a worker then has their sums.
programs.built(VOLUMES)

_UNKNOWN = "option source_host is %s, which is no host of the inventory"
_MISSING = "there is no %s on %s: expected the disk of a guest, a ZFS volume or a raw file"


class Capture:
    """One call: ACTION is that of the catalogue's host, BUILT the programs for it, OPTIONS what the module was asked for."""

    def __init__(self, action, built, options):
        self.action, self.options, self.check = action, options, action._task.check_mode
        self.catalogue = Host(action.host, action, built, action.module)
        self.name, self.at = options["source_host"], options["source"]
        self.place = {"path" if self.at.startswith("/") else "dataset": self.at}

    def reply(self):
        """Does what is asked for; the result of the task."""
        try:
            # Whether there is anything to do is known before anything is sent.
            announced = self.catalogue.reply(self.options, _ansible_check_mode=True)
            if announced.get("failed") or not announced.get("changed"):
                return announced
            guest_host = self._guest_host()
            size = self._size(guest_host)
            return announced if self.check else self._sent(guest_host, size)
        except Refused as refused:
            return {"failed": True, "changed": False, "msg": "%s: %s" % (self.action.module, refused)}

    def _guest_host(self):
        variables = self.action.task_vars
        if self.name not in variables["hostvars"]:
            raise Refused(_UNKNOWN % self.name)
        host = Host(self.name, ends.other_end(self.action, self.name, variables), programs.built(VOLUMES))
        check_connections(host, self.catalogue)
        return host

    def _size(self, host):
        """How many bytes it has, as far as that is known; afterwards, the program is kept there."""
        answer = host.ask({"": {**self.place, "state": "offered"}})[""]
        if answer.get("failed"):
            raise Refused("%s: %s" % (host.name, answer.get("msg") or "no reason given"))
        volume = answer["volume"]
        if not volume["there"]:
            raise Refused(_MISSING % (self.at, host.name))
        return volume.get("referenced") or volume["used"]

    def _sent(self, host, size):
        sender, receiver = Side(host, {**self.place, "state": "captured"}), Side(self.catalogue, self.options)
        _of_sender, reply, _sent = connect(sender, receiver, "capturing %s" % self.at, size)
        return reply
