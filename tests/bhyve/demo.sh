#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The demo through bhyve:///system: tests/bhyve/demo.sh. Needs root, for its namespaces; leaves nothing behind.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
cd "$top"
[ "$(id -u)" -eq 0 ] || { echo "demo-bhyve: expected to be root, who may make namespaces; run it with sudo" >&2; exit 1; }
# shellcheck source=tests/demo/common.sh
. tests/demo/common.sh
tests/setup/packages.sh binutils gcc pkg-config qemu-system-x86
BHYVE_DRIVER=$(tests/bhyve/driver.sh)
export BHYVE_DRIVER
modules/install.sh
prepare_ansible
unset ANSIBLE_CONFIG
exec python3 -B tests/bhyve/demo.py
