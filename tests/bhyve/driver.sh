#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Prints the folder with libvirt's own bhyve driver and the programs it starts, made once a machine for each recipe and version.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../setup/cache.sh"
"$here/../setup/packages.sh" meson ninja-build gcc libc6-dev pkg-config libglib2.0-dev libxml2-dev libgnutls28-dev libjson-c-dev \
    libtirpc-dev libnl-3-dev libnl-route-3-dev xsltproc libxml2-utils gettext python3-docutils libvirt-clients libvirt-common \
    iproute2 util-linux >&2

key=$({
    cat "$here/build.sh" "$here/source.sh"
    find "$here/shims" "$here/stand_ins" -type f | LC_ALL=C sort | xargs cat
    dpkg-query -W libglib2.0-dev libxml2-dev libgnutls28-dev
} | cache_key)
cached bhyve-driver "$key" "$here/build.sh"
