# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sizes as the programs read them (modules/ansible_module/src/quantity.rs), and those that nobody can have meant."""

from __future__ import annotations

import re

# Units of 1024; tests/unit holds this against the programs.
_SIZE = re.compile(r"([0-9]+)\s*([KMGTPkmgtp]?)(\s*i*[Bb]*)")
_UNITS = "KMGTP"
_MIB = 1 << 20

# Nothing that this collection deploys boots with less memory, and no image is smaller.
LEAST = 16 * _MIB


def _parts(value):
    match = _SIZE.fullmatch(str(value).strip())
    return (match[1], match[2].upper(), match[3]) if match else None


def size_in_bytes(value):
    """Bytes of 2147483648 or "2G"; None where it is not a size."""
    parts = _parts(value)
    if not parts:
        return None
    size = int(parts[0]) * 1024 ** (_UNITS.index(parts[1]) + 1 if parts[1] else 0)
    return size if size < 1 << 64 else None


def short_size(count):
    """Bytes as people say them: 2G, 1.5G, 512M."""
    value, units = float(count or 0), ["", *_UNITS]
    while value >= 1024 and len(units) > 1:
        value, units = value / 1024, units[1:]
    return "%s%s" % (("%.1f" % value).removesuffix(".0") if value < 10 else "%d" % value, units[0])


def is_bare(value):
    """Whether it is a number without any unit."""
    parts = _parts(value)
    return bool(parts) and not parts[1] and not parts[2]


def memory_fault(value):
    """Why VALUE is no size of a guest's memory; None where it is one."""
    size = size_in_bytes(value)
    if size is None:
        return "must be a size such as 2G, found %r" % (value,)
    if size and size < LEAST and is_bare(value):
        # What the number may have been in: libvirt counts memory in KiB, most people in MiB or GiB.
        return "is %d bytes; did you mean %d%s?" % (size, size, "G" if size < 64 else "M" if size < _MIB else "K")
    if size < LEAST:
        return "is %s, with which nothing boots; expected at least 16M, as in 2G" % str(value).strip()
    return None


def disk_fault(value):
    """Why VALUE is no size of a guest's volume; None where it is one."""
    size = size_in_bytes(value)
    if not size:
        return "must be a size such as 2G, found %r" % (value,)
    if size < LEAST and is_bare(value):
        return "is %d bytes; did you mean %d%s?" % (size, size, "G" if size < 8192 else "M" if size < _MIB else "K")
    if size % 512 or size >= 1 << 63:
        return "must be whole sectors of 512 bytes and less than 8192P, found %s" % str(value).strip()
    return None
