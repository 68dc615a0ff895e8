#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The platform of this machine by the name of its folder in native/, as in linux-x86_64. FreeBSD has names of its own for processors.
set -eu
machine=$(uname -m)
case $machine in
amd64) machine=x86_64 ;;
arm64) machine=aarch64 ;;
esac
echo "$(uname -s | tr '[:upper:]' '[:lower:]')-$machine"
