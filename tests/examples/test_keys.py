# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples of bhyve_catalog_key."""

from __future__ import annotations

FOLDER = "/usr/local/etc/apiary"


def test_keys_are_made_once(site, keys):
    assert len(keys) == 4
    for task in keys[:2]:
        assert keys.changed(task["task"]) == [True, False]
    assert {path.name: site.mode(f"{FOLDER}/{path.name}") for path in site.file(FOLDER).iterdir()} == {
        "images.key": "0o600", "images.pub": "0o644",
        "images-eddsa.key": "0o600", "images-eddsa.key.pub": "0o644", "images-eddsa.fingerprint": "0o644",
    }
    assert site.file(f"{FOLDER}/images-eddsa.fingerprint").read_text().startswith('function: "sha256"\nfingerprint: "')
