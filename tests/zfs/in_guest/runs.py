# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in the guest: the module several times at once. runs.py: a list of options on stdin, the list of replies on stdout."""

import json
import sys

import zfs_module

print(json.dumps([zfs_module.reply(process) for process in [zfs_module.start(one) for one in json.load(sys.stdin)]]))
