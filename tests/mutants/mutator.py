# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Streams altered as streams: records, fields, blocks and properties; join() puts the checksums right again."""

from __future__ import annotations

from mutants import blocks, records
from mutants.stream import BEGIN

# The more often, the further it gets: what no reader would take is altered now and then only.
OPERATIONS = {
    blocks.repack: 10,
    records.field: 6,
    records.insert: 6,
    blocks.properties: 5,
    blocks.payload: 4,
    blocks.split_block: 4,
    records.shift: 4,
    blocks.join_blocks: 3,
    blocks.resize: 3,
    blocks.stored_size: 3,
    records.drop: 3,
    records.header: 3,
    records.beginning: 2,
    records.double: 2,
    records.drop_frees: 2,
    records.move: 2,
    records.drop_stream: 1,
}


def mutate(stream, chance):
    """Alters a list of records; says what was done. Without a BEGIN in front nothing is left of the stream to be altered."""
    done, wanted = [], chance.choice([1, 1, 1, 2, 2, 3, 5])
    while len(done) < wanted and stream and stream[0].kind == BEGIN:
        (operation,) = chance.choices(list(OPERATIONS), OPERATIONS.values())
        said = operation(stream, chance)
        done += [said] if said else []
    return done
