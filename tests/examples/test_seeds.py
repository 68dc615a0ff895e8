# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples of guest_seed."""

from __future__ import annotations

SEEDS = {
    "/var/db/apiary/seeds/web1.seed": ["web1.example.org", "192.0.2.11", "2001:db8::11", "AAAAC3NzaC1lZDI1NTE5AAAAIExample"],
    "/var/db/apiary/seeds/db1.seed": [
        "192.0.2.12", "ssh-ed25519 AAAAC3NzAda ada", "permit nopass ada", "postgresql17-server", "sysrc postgresql_enable=YES",
    ],
    "/var/db/apiary/seeds/web2.seed": ["web2", "192.0.2.22", "ssh-ed25519 AAAAC3NzAdmin admin"],
    "/var/db/apiary/seeds/web3.seed": ["web3", "192.0.2.23", "192.0.2.1"],
    "/var/lib/apiary/seeds/lin1.seed": ["lin1", "dhcp4", "ssh-ed25519 AAAAC3NzAdmin admin"],
    "/var/db/apiary/seeds/gw1.seed": ["gw1", "192.0.2.13", "2001:db8::1", "10.0.0.1", "9000", "192.0.2.53"],
    "/var/lib/apiary/seeds/lin2.seed": ["lin2", "192.0.2.14", "ipv6_slaac"],
    "/var/lib/apiary/seeds/lin3.seed": ["lin3", "52:54:00:00:00:03", "198.51.100.0/24"],
}


def test_seeds_are_written_once_and_taken_away(site, examples):
    site.inventory(["hv1"])
    site.write("keys/ada.pub", "ssh-ed25519 AAAAC3NzAda ada\n")
    *written, removed = examples.take("guest_seed")
    twice = [task for task in written for _ in range(2)]
    ran = site.play("hv1", *twice, admin_key="ssh-ed25519 AAAAC3NzAdmin admin")
    assert [result["result"]["changed"] for result in ran] == [True, False] * 7
    for path, words in SEEDS.items():
        seed = site.file(path).read_bytes()
        assert b"CIDATA" in seed.upper() and site.mode(path) == "0o600"
        assert all(word.encode() in seed for word in words), path
    name = "No seed any more"
    assert site.play("hv1", removed, removed).changed(name) == [True, False]
    assert [site.file(path).exists() for path in SEEDS] == [False] + [True] * 7
