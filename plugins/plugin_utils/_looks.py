# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges the options of several looks in one task, each by the documentation of its module."""

from __future__ import annotations

from collections.abc import Mapping

from ansible_collections.apiary.bhyve.plugins.plugin_utils._options import Options

_LOOKS = "looks"
_KEYS = {"module", "options"}


class Looks(Options):
    """The options of `module`, whose looks are those of `others`."""

    def __init__(self, module, others):
        super().__init__(module)
        self.others = {other.__name__.rpartition(".")[2]: Options(other) for other in others}

    def judge(self, args):
        """The same as of one module."""
        options, secrets, wrong = super().judge(args)
        if wrong:
            return options, secrets, wrong
        secrets, faults, looks = set(secrets), [], {}
        for name, asked in options[_LOOKS].items():
            looks[str(name)], own_secrets, own_wrong = self._judge_look(asked)
            secrets |= own_secrets
            faults += ["look %s: %s" % (name, own_wrong)] if own_wrong else []
        return {**options, _LOOKS: looks}, secrets, "; ".join(faults)

    def _judge_look(self, asked):
        if not isinstance(asked, Mapping) or set(asked) != _KEYS or not isinstance(asked["options"], Mapping):
            return {}, set(), "expected a dictionary of module and options, as in {module: libvirt_domain_info, options: {}}"
        other = self.others.get(asked["module"])
        if other is None:
            return {}, set(), "found module %s, expected one of %s" % (asked["module"], ", ".join(sorted(self.others)))
        options, secrets, wrong = other.judge(dict(asked["options"]))
        return {"module": asked["module"], "options": options}, set(secrets), wrong
