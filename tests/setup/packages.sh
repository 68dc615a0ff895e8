#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Installs Debian packages that tests and the demo need: tests/setup/packages.sh PACKAGE...
# Does nothing, and needs no rights, where they are there. Adds the backports and contrib
# sections of the system's own mirror only where the plain sources cannot serve.
set -euo pipefail

missing=()
for package in "$@"; do
    dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null | grep -q '^ii' || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" -ne 0 ]; then
    echo "installing ${missing[*]}: needs root; run: apt-get install ${missing[*]}" >&2
    exit 1
fi

# One installer at a time, whoever calls: parallel test jobs share the machine.
exec 9>/run/lock/apiary-packages.lock
flock 9

apt() {
    DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 "$@"
}

install() {
    apt install -y --no-install-recommends "$@" "${missing[@]}"
}

add_sources() {
    local codename uri key=/usr/share/keyrings/debian-archive-keyring.gpg
    codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
    uri=$(apt-get indextargets --format '$(CODENAME) $(REPO_URI)' 'Created-By: Packages' |
        awk -v codename="$codename" '$1 == codename {print $2; exit}')
    [ -n "$uri" ] || { echo "looking for the system's Debian mirror: no package source for $codename found" >&2; exit 1; }
    printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: %s\nSigned-By: %s\n\n' \
        "$uri" "$codename-backports" 'main contrib' "$key" \
        "$uri" "$codename" contrib "$key" >/etc/apt/sources.list.d/apiary.sources
    backports=$codename-backports
}

echo "installing ${missing[*]}" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
{
    apt update && install ||
        { add_sources && apt update && install -t "$backports"; }
} >"$log" 2>&1 || {
    tail -n 20 "$log" >&2
    echo "installing ${missing[*]} failed; the lines above are apt's own" >&2
    exit 1
}
