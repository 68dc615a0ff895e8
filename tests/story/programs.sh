#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# libvirt and qemu as they are installed here, with all libraries they are linked with, as a tar archive on standard output: for a
# machine of the same Debian that has none of them.
set -euo pipefail

packages() {
    dpkg-query -W -f '${db:Status-Abbrev} ${binary:Package}\n' 'libvirt*' 'qemu-system-*' seabios 2>/dev/null |
        awk '$1 == "ii" && $2 ~ /^(libvirt|seabios|qemu-system-(common|data|x86))/ { print $2 }'
}

# Of the emulators one is enough; the others are as large.
files() {
    local file
    packages | xargs dpkg -L | sort -u |
        grep -v -e /share/doc/ -e /share/man/ -e /share/locale/ -e /systemd/ -e qemu-system-i386 -e microvm -e /bin/kvm |
        while IFS= read -r file; do
            case $file in /usr/* | /lib/*) [ ! -f "$file" ] || echo "$file" ;; esac
        done
}

# What is no program makes ldd fail.
libraries() {
    grep -E '/(bin|sbin|lib)/' | { xargs ldd 2>/dev/null || true; } | awk '$2 == "=>" && $3 ~ /^\// { print $3 }'
}

own=$(files)
{ echo "$own"; libraries <<<"$own"; } | sed "s:^/::" | sort -u | tar -C / -chf - -T -
