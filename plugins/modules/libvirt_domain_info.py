# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: libvirt_domain_info
short_description: Tell what domains a libvirt host has and how they are
version_added: 0.1.0
description:
  - Reads state, size, disks, interfaces and addresses of one domain or of all, and what M(apiary.bhyve.libvirt_domain) knows
    of them.
author:
  - The apiary.bhyve developers (!UNKNOWN)
requirements:
  - libvirt on the host with the driver for its hypervisor (tested with 11.3); no Python, no libvirt bindings
attributes:
  check_mode:
    description: Changes nothing in any mode.
    support: full
  diff_mode:
    description: There is nothing to show.
    support: none
options:
  name:
    description: Name of one domain. All of them where it is not given.
    type: str
  uri:
    description:
      - Where the hypervisor is.
      - The default is V(bhyve:///system) on FreeBSD and V(qemu:///system) elsewhere.
    type: str
  answer_timeout:
    description: Seconds that libvirt may take for one answer. When they are over, the task fails, because libvirt's daemon hangs.
    type: float
    default: 300
seealso:
  - module: apiary.bhyve.libvirt_domain
"""

EXAMPLES = r"""
- name: Look at all domains
  apiary.bhyve.libvirt_domain_info:
  register: found

- name: List those that have to be restarted to run what is defined
  ansible.builtin.debug:
    msg: "{{ found.domains | selectattr('managed') | selectattr('managed.restart_required') | map(attribute='name') }}"
"""

RETURN = r"""
domains:
  description: The domains; empty where the one that was asked for does not exist.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Its name.
      type: str
      sample: web1
    uuid:
      description: Its UUID.
      type: str
      sample: 06f7ab89-0554-5e2c-9836-192821f92039
    state:
      description: One of C(running), C(paused), C(suspended), C(stopping), C(crashed) and C(shutoff).
      type: str
      sample: running
    uptime:
      description: Seconds since its process was started; null where it does not run, where it runs on another machine than the program, and
        where C(ps) cannot tell whose it is.
      type: int
      sample: 86400
    autostart:
      description:
        - Whether it starts with the host, by libvirt's own mark or in its turn.
        - False for one that has a turn, on a machine that has no boot script to start it; see O(apiary.bhyve.libvirt_domain#module:order).
      type: bool
    order:
      description: When its turn is to start with the host; null where it has no order.
      type: int
      sample: 10
    delay:
      description: Seconds that the next one then waits; null where it has no turn.
      type: int
      sample: 30
    persistent:
      description: Whether it is defined beyond its present run.
      type: bool
    memory_saved:
      description: Whether its memory was saved (C(virsh managedsave)), so that its next start goes on from there, with what was defined
        then.
      type: bool
    vcpus:
      description: Number of its processors.
      type: int
      sample: 2
    memory:
      description: Its memory in bytes.
      type: int
      sample: 2147483648
    disks:
      description: Its disks, each with C(target), C(bus) and C(source) (file, device or volume).
      type: list
      elements: dict
      sample: [{"target": "vda", "bus": "virtio", "source": "/dev/zvol/tank/guests/web1"}]
    interfaces:
      description: Its network interfaces, each with C(mac), C(kind), C(source) (bridge or network) and C(addresses), as
        far as leases and the host's ARP table know them.
      type: list
      elements: dict
      sample:
        - {"mac": "52:54:00:9d:41:71", "kind": "bridge", "source": "br0", "addresses": ["192.0.2.11"]}
    managed:
      description: Null where the domain was not defined by M(apiary.bhyve.libvirt_domain).
      type: dict
      contains:
        xml:
          description: The XML that was given, passwords hidden.
          type: str
        edited:
          description: Whether the definition was changed by somebody else since.
          type: bool
        restart_required:
          description: Whether it runs something else than what is defined. False where it does not run.
          type: bool
libvirt:
  description: Version of the libvirt daemon.
  returned: success
  type: str
  sample: 11.3.0
timings:
  description: Seconds per phase (C(connect), C(observe)) and in total.
  returned: always
  type: dict
  sample: {"connect": {"seconds": 0.013}, "observe": {"seconds": 0.002}, "total": {"seconds": 0.016}}
"""

from ansible_collections.apiary.bhyve.plugins.module_utils._documented import run  # noqa: E402


def main():
    run(DOCUMENTATION)


if __name__ == "__main__":
    main()
