# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every scene."""

from __future__ import annotations

from scenes import catalogue, clock, key, mirror, move, seed, store, swap, volume

ALL = [
    *(key.NewKey, key.LostPublicKey),
    *(catalogue.FirstImage, catalogue.NextImage, catalogue.PackedDisk, catalogue.Withdrawn),
    *(mirror.NewMirror, mirror.ChangedOrigin),
    *(store.Fetched, store.Newer, store.Removed),
    *(volume.NewVolume, volume.Replaced, volume.Continued, volume.Grown, volume.Gone),
    *(volume.Blank, volume.BlankGrown),
    *(move.PlaceTaken, move.MoveFinished, move.GivenAway),
    *(swap.Renamed,),
    *(seed.NewSeed, seed.ChangedSeed, seed.NoSeed),
    *(clock.Remembered, clock.Metrics),
]
