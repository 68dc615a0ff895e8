# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# What the machine of this folder needs on this one, and a pinned ansible-core in PATH, with its `python`. Sourced, not run.
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
"$top/tests/setup/packages.sh" binutils cpio gcc libvirt-clients libvirt-daemon libvirt-daemon-driver-qemu libvirt-daemon-log \
    openssh-client qemu-system-x86 zfsutils-linux zstd
"$top/modules/install.sh"
PATH=$("$top/tests/setup/venv.sh" newest)/bin:$PATH
