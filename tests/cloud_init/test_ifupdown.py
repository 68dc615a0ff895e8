# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Debian's ifupdown brings the interface up with what cloud-init wrote, in a network namespace of its own: the routes are the kernel's."""

from __future__ import annotations

import json
import subprocess

import pytest
from cases import FAR, NEAR
from patience import patience

# An interface named as the seed has it, and no waiting for the addresses of others.
BRING_UP = """
ip link add eth0 type veth peer name peer
ip link set peer up
for all in all default eth0; do
    for knob in disable_ipv6 accept_dad; do echo 0 >"/proc/sys/net/ipv6/conf/$all/$knob"; done
done
"$1" --no-scripts --state-dir "$2" -i "$3" eth0 >&2
# Where there is no route, ip says nothing at all.
routes=$(ip -j -4 route show default) routes6=$(ip -j -6 route show default)
printf '[%s,%s,%s]\\n' "$(ip -j address show dev eth0)" "${routes:-[]}" "${routes6:-[]}"
"""
CASES = {name: case for name, case in {**NEAR, **FAR}.items() if "dhcp" not in case["addresses"] and "interface" not in case}


@pytest.mark.parametrize("case", CASES)
def test_addresses_and_default_routes(cloud_init, seed, tools, tmp_path, case):
    options = CASES[case]
    files = cloud_init.ask("render", renderer="eni", config=seed(**options).document("network-config"))
    interfaces = tmp_path / "interfaces"
    interfaces.write_text(files["/etc/network/interfaces"])
    done = subprocess.run(
        ["unshare", "--net", "--mount", "sh", "-euc", "mount -t sysfs none /sys\n" + BRING_UP, "sh", tools / "sbin/ifup", tmp_path, interfaces],
        capture_output=True, text=True, timeout=patience(120), check=False)
    assert done.returncode == 0, done.stderr
    (link,), routes, routes6 = json.loads(done.stdout)
    addresses = {"%s/%d" % (info["local"], info["prefixlen"]) for info in link["addr_info"] if info["scope"] == "global"}
    assert addresses == set(options["addresses"])
    for key, found in (("gateway", routes), ("gateway6", routes6)):
        assert [route["gateway"] for route in found] == ([options[key]] if key in options else [])
    # One with IPv6 alone has an MTU for that.
    if "mtu" in options and "gateway" in options:
        assert link["mtu"] == options["mtu"]
