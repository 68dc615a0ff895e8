#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Stands for `ntpd -n -f FILE`: the real daemon of tests/lab/ntp, in its own folder. The file itself lies outside, and may be a pipe.
set -eu
root=$("$(dirname "$0")/../../lab/ntp/roots.sh")/distribution
[ "$1 $2" = "-n -f" ]
cat "$3" >"$root/etc/validate.conf"
exec chroot "$root" /usr/sbin/ntpd -n -f /etc/validate.conf
