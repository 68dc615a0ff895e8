#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Unpacks cloud-init of three releases of Debian, and ifupdown and netplan of the oldest: tests/cloud_init/fetch.sh FOLDER. Nothing is
# installed, and none of the packages' scripts runs. FOLDER gets a root for each release, and one named tools.
set -euo pipefail
folder=$1
# Debian 12 has 22.4, the oldest that seeds are made for; what becomes the next Debian has the newest.
releases=(bookworm trixie forky)

# shellcheck disable=SC2016 # apt's own placeholders
mirror=$(apt-get indextargets --format '$(ORIGIN) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' |
    awk '$1 == "Debian" && $2 == "main" && !/security/ { print $3; exit }')
[ -n "$mirror" ] || { echo "looking for the system's Debian mirror: apt's sources name none" >&2; exit 1; }
mkdir -p "$folder/lists/partial"
cd "$folder"
for release in "${releases[@]}"; do
    echo "deb [target=Packages signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $release main"
done >sources.list
apt() {
    apt-get -q -o "Dir::Etc::SourceList=$folder/sources.list" -o Dir::Etc::SourceParts=/dev/null -o "Dir::State::Lists=$folder/lists" \
        -o Acquire::Languages=none -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o APT::Sandbox::User=root "$@"
}

# unpack ROOT RELEASE PACKAGE...: apt holds the archive's signature and the files' checksums against each other.
unpack() {
    local root=$1 release=$2 deb
    shift 2
    mkdir -p "$root/debs"
    (cd "$root/debs" && apt download "${@/%//$release}")
    for deb in "$root"/debs/*.deb; do dpkg-deb -x "$deb" "$root"; done
    rm -r "$root/debs"
}

apt update
for release in "${releases[@]}"; do unpack "$release" "$release" cloud-init; done
# With the libraries that a machine without a desktop may lack.
unpack tools "${releases[0]}" ifupdown netplan.io libnetplan0 libglib2.0-0 libyaml-0-2 libpcre2-8-0 libffi8
rm -rf lists sources.list
