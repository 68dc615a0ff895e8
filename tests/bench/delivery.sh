#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What a task costs beside the cheapest that Ansible can do over ssh (raw: true) and beside a module of Ansible's own
# (ping, pipelined); the same at a distance, and with 50 hosts: tests/bench/delivery.sh [TASKS [ROUNDS]]
# Needs root, for the target's accounts. Fails where a bar is missed.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
"$top/tests/setup/packages.sh" busybox-static fish openssh-client openssh-server openssl python3-minimal sudo tcsh
venv=$("$top/tests/setup/venv.sh" newest)
PATH=$venv/bin:$PATH PYTHONPATH=$top:$top/tests exec python "$top/tests/bench/delivery.py" "$@"
