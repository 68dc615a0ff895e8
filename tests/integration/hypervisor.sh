#!/usr/bin/env bash
# Role hypervisor on this machine, with folders of its own and a fake zfs: the packages of its list exist, it changes what is
# missing, and a second run changes nothing.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

"$top/tests/setup/packages.sh" python3-apt
venv=$("$top/tests/setup/venv.sh" newest)
mkdir -p "$top/.cache/collections/ansible_collections/apiary"
ln -sfn "$top" "$top/.cache/collections/ansible_collections/apiary/bhyve"
export ANSIBLE_COLLECTIONS_PATH=$top/.cache/collections ANSIBLE_LOCALHOST_WARNING=false ANSIBLE_NOCOLOR=1

mkdir "$folder/bin"
cat >"$folder/bin/zfs" <<EOF
#!/bin/sh
case \$1 in
list) cat "$folder/file-systems" ;;
create) for name; do :; done; [ "\$*" = "create -p -o mountpoint=none \$name" ] && echo "\$name" >>"$folder/file-systems" ;;
*) exit 2 ;;
esac
EOF
chmod +x "$folder/bin/zfs"
printf 'tank\ntank/guests\n' >"$folder/file-systems"
echo 'a public key' >"$folder/catalog.pub"
cat >"$folder/hosts.yml" <<EOF
all:
  hosts:
    hv1:
      ansible_connection: local
      ansible_python_interpreter: /usr/bin/python3
      guest_dataset: tank/guests
      guest_golden: tank/images
      guest_console_folder: $folder/consoles
      bhyve_catalog_pubkey: $folder/etc/catalog.pub
      hypervisor_pubkey: $folder/catalog.pub
      hypervisor_manage_service: false
EOF

# Plays the role, and tells how many tasks changed something.
changes() {
    PATH=$folder/bin:$PATH "$venv/bin/ansible-playbook" -i "$folder/hosts.yml" apiary.bhyve.hypervisor "$@" >"$folder/log" 2>&1 || {
        cat "$folder/log" >&2
        return 1
    }
    sed -n 's/^hv1 .*changed=\([0-9]*\).*/\1/p' "$folder/log"
}
expect() {
    [ "$2" = "$3" ] || { cat "$folder/log" >&2; echo "hypervisor: $1: expected $2, found $3" >&2; exit 1; }
}

# The machine keeps the packages it has: that there are those of the role is asked of apt.
listed=$(sed -n 's/^  Debian: {packages: \[\(.*\)\], zfs: \[\(.*\)\], .*/\1 \2/p' "$top/roles/hypervisor/vars/main.yml")
expect "packages with a candidate" "$(wc -w <<<"$listed")" \
    "$(tr -d , <<<"$listed" | xargs apt-cache policy | grep -c '^  Candidate: [0-9]')"
few=(-e '{"hypervisor_packages": ["tar"]}')

expect "check mode" 4 "$(changes "${few[@]}" --check)"
expect "file systems after check mode" "tank tank/guests" "$(xargs <"$folder/file-systems")"
[ ! -e "$folder/etc" ] || expect "check mode" "no folder" "$folder/etc"

expect "the first run" 4 "$(changes "${few[@]}")"
expect "file systems" "tank tank/guests tank/images" "$(xargs <"$folder/file-systems")"
cmp "$folder/catalog.pub" "$folder/etc/catalog.pub"
expect "the second run" 0 "$(changes "${few[@]}")"

# Without ZFS.
expect "a folder" 1 "$(changes "${few[@]}" -e "guest_folder=$folder/volumes")"
expect "its mode" 711 "$(stat -c %a "$folder/volumes")"
echo "role hypervisor: prepares once, and says in check mode what it would do"
