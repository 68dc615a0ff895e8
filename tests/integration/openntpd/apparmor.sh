#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Debian confines ntpd by a profile of AppArmor. Where no kernel has it, the profile is read: what the role has the daemon open,
# when it checks a configuration and when it starts, must stand there. Needs root, for a mount namespace.
set -euo pipefail
. "$(dirname "$0")/settings.sh"
root=$("$top/tests/lab/ntp/roots.sh")/distribution
profile=$root/etc/apparmor.d/usr.sbin.ntpd
# The daemon sees it by the same name.
folder=$(mktemp -d /tmp/apparmor.XXXXXX)
trap 'rm -rf "$folder"' EXIT
fail() { echo "$1" >&2; exit 1; }

"$venv/bin/python" - "$top" >"$folder/role" <<'PY'
import pathlib, sys, yaml
role = pathlib.Path(sys.argv[1], "roles/openntpd")
platform = yaml.safe_load((role / "vars/main.yml").read_text())["openntpd_platforms"]["Debian"]
[task] = [task for task in yaml.safe_load((role / "tasks/main.yml").read_text()) if task["name"] == "Configure OpenNTPD"]
print(platform["config"], platform["daemon"], task["ansible.builtin.template"]["validate"], sep="\n")
PY
{ read -r config; read -r daemon; read -r validate; } <"$folder/role"
grep -qE "^$daemon (flags=\([a-z_]*\) )?\{" "$profile" || fail "the profile is not one of $daemon"
grep -qE "^ *$config r," "$profile" || fail "the profile does not let $daemon read $config"

# The command as the role has it, on a file where Ansible puts one. In this root there is neither shell nor cat, so that only the daemon is traced.
[[ $validate == *'{{ openntpd_daemon }} %s' ]] || fail "the role checks a configuration by other means: $validate"
printf 'server 192.0.2.1\n' >"$folder/ntpd.conf"
cat >"$folder/ntpd" <<SH
#!/bin/sh
exec strace -f -e trace=open,openat -o "$folder/trace" chroot "$root" "$daemon" "\$@"
SH
chmod +x "$folder/ntpd"
export root folder
opened() {
    : >"$folder/trace"
    # shellcheck disable=SC2016 # expanded by the inner shell
    unshare --mount bash -euc 'for each in proc dev; do mount --rbind "/$each" "$root/$each"; done; mkdir -p "$root/tmp"; mount --rbind /tmp "$root/tmp"; eval "$1"' \
        bash "$1" >"$folder/said" 2>&1 || true
    # What the loader, the C library and the resolver read is allowed by the abstractions of base and nameservice.
    sed -n '/chroot(/d; s/.*open\(at\)\?(\(AT_FDCWD, \)\?"\([^"]*\)".* = [0-9].*/\3/p' "$folder/trace" |
        grep -vE '^(/usr)?/lib|^/etc/(ld\.so|localtime|nsswitch|resolv|hosts|passwd|group|services)|^/usr/share|^/proc/|^/dev/(null|u?random)$' | sort -u
}
command=${validate//'{{ openntpd_daemon }} %s'/"$folder/ntpd $folder/ntpd.conf"}
found=$(opened "$command")
grep -q 'configuration OK' "$folder/said" || { cat "$folder/said"; fail "the daemon does not accept the configuration"; }
# Behind it is a pipe, which has no path: AppArmor does not mediate the opening of one.
[ "$found" = /dev/stdin ] || fail "expected $daemon to open /dev/stdin only, found: $found"
# The check of the check: by the file's own name it would open what the profile does not have.
found=$(opened "$folder/ntpd -n -f $folder/ntpd.conf")
[ "$found" = "$folder/ntpd.conf" ] || fail "expected $folder/ntpd.conf to be opened, found: $found"
if grep -qF "$folder/ntpd.conf r," "$profile"; then fail "the profile allows everything"; fi
echo "apparmor: the daemon reads $config and a pipe, as its profile has it"
