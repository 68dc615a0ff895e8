#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The platform of this machine by the name of its folder in native/, as in linux-x86_64; or what PLATFORM, by the system's own name for its
# processor as in freebsd-amd64, is called there: modules/platform.sh [PLATFORM]
set -eu
platform=${1:-$(uname -s | tr '[:upper:]' '[:lower:]')-$(uname -m)}
case $platform in
*-amd64) echo "${platform%-*}-x86_64" ;;
*-arm64) echo "${platform%-*}-aarch64" ;;
*) echo "$platform" ;;
esac
