# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: guest_seed
short_description: Write the small disk that gives a guest its name, network and keys at first boot
version_added: 0.1.0
description:
  - Writes a NoCloud seed, a FAT file system of 1 MiB labelled C(cidata), which cloud-init of Linux guests and nuageinit of FreeBSD
    guests read at their first boot.
  - Each reader gets what it understands. What it would ignore or get wrong is refused, with the reason; what only some versions of it
    get wrong is said in a warning when the seed is written.
  - cloud-init gets the network as version 1 of its configuration, from which 22.4 (Debian 12) and later ones make the same addresses and
    default routes for ifupdown, netplan, systemd-networkd, NetworkManager and network-scripts.
  - The same options make the same bytes. The file can be read by its owner only.
  - A seed is read at the first boot only. A changed one takes effect when the guest is redeployed; see RV(redeploy_required).
  - A file at O(path) that is not a seed of this module is never touched.
author:
  - The apiary.bhyve developers (!UNKNOWN)
attributes:
  check_mode:
    description: Says what would be written.
    support: full
  diff_mode:
    description: Shows the documents of the seed. Password hashes, contents of files and raw user data are not shown; that they differ is.
    support: full
options:
  path:
    description:
      - The file. Its folder is made where it is missing.
      - One of O(path) and O(guests) is required.
    type: path
  guests:
    description:
      - Several guests in one call, which costs what one costs. The options of each by its name; those beside O(guests) go for all of
        them.
      - A guest whose options have no O(name) has its own name.
      - What goes wrong with one guest is its own affair. The others are done, and the task fails at the end. See RV(guests).
    type: dict
  state:
    description:
      - Whether the seed shall be there.
    type: str
    choices: [present, absent]
    default: present
  first_boot:
    description:
      - Whether the guest boots next for the first time, as it does on a new root disk. A seed that has changed takes effect then, and
        there is nothing to warn of.
    type: bool
    default: false
  name:
    description:
      - The guest's name, the same as that of its domain. The guest's instance id and, without O(mac), the MAC address of its first
        network interface follow from it as in M(apiary.bhyve.libvirt_domain).
      - Required for O(state=present).
    type: str
  identity:
    description:
      - The name from which the instance id and the MAC addresses follow, where that is not O(name). It is for a guest that had another
        name when it was made. cloud-init begins anew where the instance id is another one.
    type: str
  family:
    description:
      - V(freebsd) for a guest with FreeBSD's nuageinit, V(linux) for one with cloud-init.
    type: str
    choices: [freebsd, linux]
    default: freebsd
  nuageinit:
    description:
      - The generation of nuageinit in a FreeBSD guest, named by a release that has it.
      - V(14.1) knows host name, addresses, gateways, users and their keys. Later ones understand what is written for it, too, except for
        a script as O(user_data).
      - V(15.0), which FreeBSD 14.4 has as well, also knows name servers, MTU, interface names, packages, commands, files, time zone, sudo,
        doas and password hashes.
    type: str
    choices: ['14.1', '15.0']
    default: '14.1'
  hostname:
    description:
      - The host name, with or without domain. By default it is O(name).
    type: str
  addresses:
    description:
      - Addresses of the guest's first network interface with their prefix, as in V(192.0.2.11/24) or V(2001:db8::11/64), or how it gets
        them. V(dhcp) is an IPv4 address by DHCP, V(ra) are IPv6 addresses by router advertisements, V(dhcp6) is an IPv6 address by
        DHCPv6. With V(dhcp6) the router is still that of the advertisements.
      - Without any, the image's own network configuration holds.
      - nuageinit takes one IPv4 and one IPv6 address, or V(dhcp) alone. It knows neither V(ra) nor V(dhcp6).
      - cloud-init takes V(ra) or V(dhcp6) in place of fixed IPv6 addresses only. Beside these, it would have network-scripts ignore the
        router's advertisements.
      - A guest with several interfaces has O(networks) in place of this.
    type: list
    elements: str
  gateway:
    description:
      - IPv4 router, in the network of one of O(addresses).
      - Outside of these it is refused for nuageinit. With cloud-init it is reached as a neighbour (on-link), but not by 22.4 with netplan or
        systemd-networkd nor with network-scripts, so there is a warning.
      - With V(dhcp) as the only IPv4 address, the router comes from the DHCP server, and this is refused.
      - A guest has one default route for IPv4 and one for IPv6. With O(networks), one of them may have this.
    type: str
  gateway6:
    description:
      - IPv6 router, as O(gateway). A link-local address such as V(fe80::1) is right for cloud-init, and refused for nuageinit.
    type: str
  nameservers:
    description:
      - Addresses of name servers.
      - With V(dhcp) alone, nuageinit and guests with netplan take those of the DHCP server only. The first is an error, the second a warning.
      - They are the guest's. With O(networks), they are written for the first one that has fixed addresses.
    type: list
    elements: str
  search:
    description: Domains in which short names are looked up.
    type: list
    elements: str
  mtu:
    description: Largest packet in bytes, as in V(9000). nuageinit, and ifupdown in Linux guests, take it with fixed addresses only.
    type: int
  mac:
    description:
      - MAC address of the interface that gets the addresses, as in V("58:9c:fc:20:00:01"). Upper case is put right.
      - Not needed where the domain has the address that M(apiary.bhyve.libvirt_domain) gives it.
      - "If no interface has this address, nuageinit stops and configures nothing: with a domain template of your own, give the address
        in both places."
    type: str
  interface:
    description:
      - Name of the interface in the guest, as in V(vtnet0). Without O(mac), the interface is found by this name.
      - With O(mac), the interface is found by that and gets this name. A Linux guest's interface is called V(eth0) by default.
    type: str
  networks:
    description:
      - Every network interface of the guest, in the order in which the domain has them, in place of O(addresses), O(gateway),
        O(gateway6), O(mtu), O(mac) and O(interface).
      - Each is found by its MAC address, by default the one that M(apiary.bhyve.libvirt_domain) gives to the interface of that number.
      - An interface without addresses is left to the image.
      - Where several bring a default route, because one has a gateway and another V(dhcp), there is a warning. Two gateways of one family
        are refused.
    type: list
    elements: dict
    suboptions:
      addresses:
        description: As O(addresses).
        type: list
        elements: str
      gateway:
        description: As O(gateway).
        type: str
      gateway6:
        description: As O(gateway6).
        type: str
      mtu:
        description: As O(mtu).
        type: int
      mac:
        description: As O(mac).
        type: str
      interface:
        description: As O(interface). A Linux guest's interfaces are called V(eth0), V(eth1) and so on by default.
        type: str
  network_config:
    description:
      - The document C(network-config) as it is, in place of what is rendered from O(addresses), O(networks), O(nameservers) and what
        belongs to these. A dictionary, or a YAML document as text.
      - It has the key C(version) on its outermost level, with 1 or 2, and no key C(network) around it.
      - For nuageinit it is a dictionary C(ethernets) of version 2 with what nuageinit reads of it. Other keys are refused. The V(14.1) one
        reads the network from the user data, where a dictionary is put and a text is refused.
      - Whether its interfaces are the domain's, as those found by a MAC address, is not looked at. Neither are routes, addresses and what
        each version of cloud-init makes of them.
      - It is shown in differences, so do not put secrets into it.
    type: raw
  ssh_keys:
    description:
      - SSH public keys of those of O(users) that have none of their own.
      - Without O(users), of the user C(freebsd), a member of C(wheel), on FreeBSD, and of the image's default user on Linux.
    type: list
    elements: str
  users:
    description:
      - The users to make. An empty list makes none.
      - A user that the image has already, such as C(root), gets the keys, rules and password that are given here. The groups and the shell
        stay as they are in the image; for C(root) and others that every image has, giving them is refused.
      - Without it and without O(ssh_keys), none is made on FreeBSD. nuageinit by itself would make a user C(freebsd) whose password
        is C(freebsd).
      - A new user without O(users[].password_hash) cannot log in with a password. One that the image has can no longer do so on Linux, and
        keeps the image's password on FreeBSD.
    type: list
    elements: dict
    suboptions:
      name:
        description: Login name.
        type: str
        required: true
      groups:
        description: Further groups. They must exist in the image. Only for users that the image does not have.
        type: list
        elements: str
      shell:
        description: Absolute path of the login shell, as in V(/bin/sh). Only for users that the image does not have.
        type: path
      ssh_keys:
        description: SSH public keys of this user, in place of O(ssh_keys).
        type: list
        elements: str
      sudo:
        description: Rules for sudo without the user's name, as in V(ALL=(ALL\) NOPASSWD:ALL).
        type: list
        elements: str
      doas:
        description:
          - Rules for doas, as in V(permit nopass web). C(%u) stands for the user's name.
          - On Linux they are appended to C(/etc/doas.conf) by cloud-init's C(write_files), because 22.4 has no rules for doas yet.
        type: list
        elements: str
      password_hash:
        description: Password, hashed as crypt(3) does, as in V($6$SALT$HASH). Also of a user that the image has. Not for O(nuageinit=14.1).
        type: str
  packages:
    description: Packages to install.
    type: list
    elements: str
  run_commands:
    description: Commands for the guest's shell, run in this order at the end of the first boot.
    type: list
    elements: str
  write_files:
    description: "Files to write, as in V([{path: /etc/motd, content: Hello}]). nuageinit makes no folders for them."
    type: list
    elements: dict
    suboptions:
      path:
        description: Absolute path in the guest, as in V(/etc/motd).
        type: str
        required: true
      content:
        description: The text of the file, as in V(Hello).
        type: str
        required: true
      owner:
        description: Owner, or owner and group as in V(www:www). One of O(users) will do.
        type: str
      permissions:
        description: Octal mode in quotes, as in V("0644").
        type: str
  timezone:
    description: Time zone, as in V(Europe/Berlin).
    type: str
  user_data:
    description:
      - User data as it is, as in V("{{ lookup('ansible.builtin.file', 'user-data.yml'\) }}"), in place of what is rendered from O(ssh_keys),
        O(users), O(packages), O(run_commands), O(write_files) and O(timezone).
      - For nuageinit it is C(#cloud-config) with a key C(users). A script is refused for O(nuageinit=15.0), which would then set neither the
        host name nor the network, and is taken with a warning for O(nuageinit=14.1). Use O(run_commands), or O(write_files) for the script
        and O(run_commands) to start it.
      - For cloud-init it is anything that it knows, such as C(#cloud-config) or a script.
    type: str
seealso:
  - module: apiary.bhyve.libvirt_domain
"""

EXAMPLES = r"""
- name: Seed of a FreeBSD guest
  apiary.bhyve.guest_seed:
    path: /var/db/apiary/seeds/web1.seed
    name: web1
    hostname: web1.example.org
    addresses: [192.0.2.11/24, 2001:db8::11/64]
    gateway: 192.0.2.1
    gateway6: 2001:db8::1
    ssh_keys:
      - ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExampleExampleExampleExampleExampleExampleExam admin@example.org

- name: Seed of a FreeBSD 15 guest with users and packages
  apiary.bhyve.guest_seed:
    path: /var/db/apiary/seeds/db1.seed
    name: db1
    nuageinit: '15.0'
    addresses: [192.0.2.12/24]
    gateway: 192.0.2.1
    nameservers: [192.0.2.53]
    search: [example.org]
    users:
      - name: ada
        groups: [wheel]
        ssh_keys: ["{{ lookup('ansible.builtin.file', 'keys/ada.pub') }}"]
        doas: [permit nopass ada]
    packages: [doas, postgresql17-server]
    run_commands:
      - sysrc postgresql_enable=YES

- name: Seed of a Linux guest that gets its address by DHCP
  apiary.bhyve.guest_seed:
    path: /var/lib/apiary/seeds/lin1.seed
    name: lin1
    family: linux
    addresses: [dhcp]
    ssh_keys: ["{{ admin_key }}"]

- name: Seed of a router with two interfaces
  apiary.bhyve.guest_seed:
    path: /var/db/apiary/seeds/gw1.seed
    name: gw1
    nuageinit: '15.0'
    networks:
      - addresses: [192.0.2.13/24, 2001:db8::13/64]
        gateway: 192.0.2.1
        gateway6: 2001:db8::1
      - addresses: [10.0.0.1/24]
        mtu: 9000
    nameservers: [192.0.2.53]
    ssh_keys: ["{{ admin_key }}"]

- name: Seed of a Linux guest with an IPv6 address by router advertisements
  apiary.bhyve.guest_seed:
    path: /var/lib/apiary/seeds/lin2.seed
    name: lin2
    family: linux
    addresses: [192.0.2.14/24, ra]
    gateway: 192.0.2.1
    ssh_keys: ["{{ admin_key }}"]

- name: Seed with a network configuration of one's own
  apiary.bhyve.guest_seed:
    path: /var/lib/apiary/seeds/lin3.seed
    name: lin3
    family: linux
    network_config:
      version: 2
      ethernets:
        lan:
          match: {macaddress: '52:54:00:00:00:03'}
          addresses: [192.0.2.15/24]
          routes: [{to: 198.51.100.0/24, via: 192.0.2.2}]
    ssh_keys: ["{{ admin_key }}"]

- name: Seeds of several guests in one call
  apiary.bhyve.guest_seed:
    guests:
      web2:
        path: /var/db/apiary/seeds/web2.seed
        addresses: [192.0.2.22/24]
      web3:
        path: /var/db/apiary/seeds/web3.seed
        addresses: [192.0.2.23/24]
    gateway: 192.0.2.1
    ssh_keys: ["{{ admin_key }}"]

- name: No seed any more
  apiary.bhyve.guest_seed:
    path: /var/db/apiary/seeds/web1.seed
    state: absent
"""

RETURN = r"""
seed:
  description: The seed as it is afterwards, or would be in check mode.
  returned: success
  type: dict
  contains:
    path:
      description: The file.
      type: str
      sample: /var/db/apiary/seeds/web1.seed
    sha256:
      description: Checksum of the image that belongs to the options.
      returned: for O(state=present)
      type: str
      sample: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
    size:
      description: Its size in bytes.
      returned: for O(state=present)
      type: int
      sample: 1048576
    instance_id:
      description: The guest's identity for cloud-init, the same as its domain's UUID. It stays when the seed changes.
      returned: for O(state=present)
      type: str
      sample: 06f7ab89-0554-5e2c-9836-192821f92039
redeploy_required:
  description:
    - Whether the contents of a seed that was there have changed, or would. A guest that has booted with the old one does not notice.
    - Always false with O(first_boot=true).
  returned: success
  type: bool
  sample: false
guests:
  description:
    - What became of each guest, by its name; the keys are those that one guest alone is answered with, C(changed), C(failed) and
      C(msg) among them. Differences and warnings are the whole task's, with the guest's name in front.
  returned: with O(guests)
  type: dict
timings:
  description: Seconds per phase.
  returned: always
  type: dict
  sample: {render: {seconds: 0.0001}, observe: {seconds: 0.001}, apply: {seconds: 0.004}, total: {seconds: 0.006}}
"""

from ansible_collections.apiary.bhyve.plugins.module_utils._documented import run  # noqa: E402

RULES = {
    "no_log": ("user_data", "users.password_hash"),
    "required_one_of": [["path", "guests"]],
    "mutually_exclusive": [["path", "guests"]],
    "required_if": [["state", "present", ["name", "guests"], True]],
}
GUEST = "name"


def main():
    run(DOCUMENTATION, **RULES)


if __name__ == "__main__":
    main()
