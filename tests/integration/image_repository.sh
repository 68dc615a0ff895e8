#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Role image_repository for real: an account on this machine, the system's sshd and nginx, and module bhyve_image as client.
# Everything happens in namespaces: /etc, /usr, /var and /run are of its own, so the machine itself stays as it is, and
# every daemon ends with the test.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/patience.sh
. "$top/tests/patience.sh"

if [ -z "${APIARY_PRIVATE:-}" ]; then
    "$top/tests/setup/packages.sh" curl nginx-light openssh-client openssh-server openssl
    "$top/modules/install.sh"
    venv=$("$top/tests/setup/venv.sh" newest)
    mkdir -p "$top/.cache/collections/ansible_collections/apiary"
    ln -sfn "$top" "$top/.cache/collections/ansible_collections/apiary/bhyve"
    export APIARY_PRIVATE=yes PATH=$venv/bin:$PATH
    exec unshare --mount --pid --fork --kill-child --mount-proc --propagation private -- "$0" "$@"
fi

lab=$(mktemp -d /tmp/apiary-repository.XXXXXX)
chmod 755 "$lab"
mount -t tmpfs -o mode=755 none "$lab"
mkdir "$lab/site"
pids=()
finish() {
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    wait
    umount -l "$lab" && rmdir "$lab"
}
trap finish EXIT
for folder in etc usr var; do
    mkdir -p "$lab/over/$folder"/{upper,work}
    mount -t overlay overlay -o "lowerdir=/$folder,upperdir=$lab/over/$folder/upper,workdir=$lab/over/$folder/work" "/$folder"
done
mount -t tmpfs -o mode=755 none /run
# Without this link Ansible takes the machine for one that systemd runs, which it may be, but not in here.
rm -f /usr/sbin/init

step() { echo "-- $1 (after $SECONDS s)"; }
fail() {
    echo "image_repository: $*" >&2
    exit 1
}
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
catalog=/var/db/apiary/catalog
image=FreeBSD-14.2-RELEASE-ZFS-20G-20250515
ssh_port=$(free_port) http_port=$(free_port) https_port=$(free_port)

for key in client stranger; do ssh-keygen -q -t ed25519 -N '' -C "$key" -f "$lab/$key"; done
certificate=(openssl req -x509 -newkey rsa:2048 -nodes -days 2)
"${certificate[@]}" -subj "/CN=Test authority" -keyout "$lab/ca.key" -out "$lab/ca.crt" 2>/dev/null
"${certificate[@]}" -CA "$lab/ca.crt" -CAkey "$lab/ca.key" -subj /CN=localhost -addext subjectAltName=DNS:localhost \
    -addext basicConstraints=critical,CA:false -keyout "$lab/tls.key" -out "$lab/tls.crt" 2>/dev/null

export ANSIBLE_COLLECTIONS_PATH=$top/.cache/collections ANSIBLE_LOCALHOST_WARNING=false ANSIBLE_NOCOLOR=1
export ANSIBLE_INVENTORY_UNPARSED_WARNING=false
cat >"$lab/hosts.yml" <<YAML
bhyve_repository:
  hosts:
    repo:
      ansible_connection: local
      ansible_python_interpreter: "{{ ansible_playbook_python }}"
      image_repository_clients: ["$(cat "$lab/client.pub")"]
YAML
play() { ansible-playbook -i "$lab/hosts.yml" apiary.bhyve.repository "$@"; }
expect_recap() {
    local words=$1
    shift
    play "$@" >"$lab/log" 2>&1 || { cat "$lab/log"; fail "the role failed"; }
    grep -Eq "^repo .*$words" "$lab/log" || { cat "$lab/log"; fail "expected '$words' in the recap"; }
}

step "the role: check, run, check, run"
expect_recap 'changed=[1-9].*failed=0' --check
! id images >/dev/null 2>&1 || fail "check mode made the account"
expect_recap 'changed=[1-9].*failed=0'
expect_recap 'changed=0.*failed=0' --check
expect_recap 'changed=0.*failed=0'

step "what it refuses"
for wrong in '{"image_repository_clients": ["command=\"sh\" ssh-ed25519 AAAA"]}' '{"image_repository_server": "pkg"}' \
    '{"image_repository_home": "/var/db/apiary/catalog/home"}' '{"image_repository_path": "/srv/a b"}' \
    '{"image_repository_program": "/usr/local/libexec/images"}'; do
    if play -e "$wrong" >"$lab/log" 2>&1; then fail "took $wrong"; fi
    grep -Eq 'image_repository_(clients: expected public keys without options|[a-z]+: expected [^;]+; [a-z ]+)' "$lab/log" || { cat "$lab/log"; fail "$wrong is refused in other words"; }
done

step "the account: no password, nothing to write, nothing to run"
getent shadow images | cut -d: -f2 | grep -qx '\*' || fail "the account has a password"
for folder in / /etc "$catalog" /var/db/apiary/repository /var/db/apiary/repository/.ssh; do
    if setpriv --reuid images --regid images --clear-groups test -w "$folder"; then fail "the account can write $folder"; fi
done
cp -r "$top/tests/fixtures/pkg-repos/pubkey-rsa/." "$catalog"
ssh-keygen -q -t ed25519 -N '' -f "$lab/host_key"
cat >"$lab/sshd_config" <<CONFIG
ListenAddress 127.0.0.1:$ssh_port
HostKey $lab/host_key
PidFile none
UsePAM no
Subsystem sftp internal-sftp
CONFIG
mkdir -p /run/sshd
/usr/sbin/sshd -D -e -f "$lab/sshd_config" 2>"$lab/sshd.log" &
pids+=($!)
echo "[127.0.0.1]:$ssh_port $(cut -d' ' -f1,2 "$lab/host_key.pub")" >"$lab/known_hosts"
wait_for 60 "sshd on port $ssh_port" ssh-keyscan -p "$ssh_port" 127.0.0.1
as() {
    local key=$1
    shift
    ssh -F none -o BatchMode=yes -o IdentitiesOnly=yes -o "UserKnownHostsFile=$lab/known_hosts" -i "$lab/$key" \
        -p "$ssh_port" images@127.0.0.1 "$@" </dev/null
}
greeting='ok: apiary.bhyve'
for words in 'id' 'pkg ssh; id' '/bin/sh' 'scp -f /etc/passwd'; do
    # One argument on purpose: the words are for the other side's shell.
    # shellcheck disable=SC2029
    [[ $(as client "$words") == "$greeting "* ]] || fail "'$words' got another answer than the server's"
done
if as stranger true 2>/dev/null; then fail "a stranger is let in"; fi
if as client -W "127.0.0.1:$ssh_port" 2>/dev/null; then fail "forwarding is allowed"; fi

step "fetching over ssh"
fetch() {
    ansible-playbook -i "$lab/hosts.yml" /dev/stdin "$@" <<YAML >"$lab/log" 2>&1
- hosts: repo
  gather_facts: false
  tasks:
    - apiary.bhyve.bhyve_image:
        name: $image
        repository: "{{ repository }}"
        store: "{{ store }}"
        pubkey: $top/tests/fixtures/pkg-repos/keys/rsa.pub
        ssh_key: $lab/client
        ssh_known_hosts: $lab/known_hosts
        ssh_args: [-F, none]
        ca_path: "{{ ca_path | default(omit) }}"
YAML
}
expect_fetched() {
    local place=$1 store=$lab/store-$RANDOM$RANDOM
    shift
    for changed in 1 0; do
        fetch -e "repository=$place store=$store" "$@" || { cat "$lab/log"; fail "fetching from $place"; }
        grep -Eq "^repo .*changed=$changed" "$lab/log" || { cat "$lab/log"; fail "expected changed=$changed from $place"; }
    done
    cmp "$store/$image.pkg" "$catalog/All/$image.pkg"
}
expect_fetched "ssh://images@127.0.0.1:$ssh_port"

step "a host that is taken off the list has no access any more"
expect_recap 'changed=1.*failed=0' -e '{"image_repository_clients": []}'
if as client true 2>/dev/null; then fail "a host that was taken off the list is let in"; fi
expect_recap 'changed=1.*failed=0'

step "http on a host without nginx, in check mode"
apt-get remove -q -y nginx-light nginx nginx-common >"$lab/log" 2>&1 || { cat "$lab/log"; fail "removing nginx"; }
expect_recap 'changed=[1-9].*failed=0' -e image_repository_http=true --check

step "http for whoever asks, in the place of Debian's example"
expect_recap 'changed=[1-9].*failed=0' -e image_repository_http=true
for address in 127.0.0.1 '[::1]'; do
    code=$(curl -s -o /dev/null -w '%{http_code}' "http://$address/data.pkg")
    [ "$code" = 200 ] || fail "http://$address/data.pkg is answered by $code"
done

step "http and https"
http=(-e image_repository_http=true -e "image_repository_http_listen=127.0.0.1:$http_port")
expect_recap 'changed=[1-9].*failed=0' "${http[@]}"
expect_recap 'changed=0.*failed=0' "${http[@]}"
expect_fetched "http://127.0.0.1:$http_port"
touch "$catalog/.new-secret"
for path in .new-secret ../repository/.ssh/authorized_keys %2e%2e/repository/.ssh/authorized_keys; do
    code=$(curl -s -o /dev/null -w '%{http_code}' --path-as-is "http://127.0.0.1:$http_port/$path")
    [[ $code == 40[04] ]] || fail "nginx answers $code for $path"
done
[ "$(curl -s -o /dev/null -w '%{http_code}' -X DELETE "http://127.0.0.1:$http_port/data.pkg")" = 403 ] || fail "nginx lets one delete"
https=(-e image_repository_http=true -e "image_repository_http_listen=127.0.0.1:$https_port"
    -e "image_repository_http_certificate=$lab/tls.crt" -e "image_repository_http_key=$lab/tls.key")
expect_recap 'changed=[1-9].*failed=0' "${https[@]}"
expect_fetched "https://localhost:$https_port" -e "ca_path=$lab/ca.crt"
if fetch -e "repository=https://localhost:$https_port store=$lab/refused"; then fail "an unknown authority is trusted"; fi
grep -q 'certificate' "$lab/log" || { cat "$lab/log"; fail "the refusal does not name the certificate"; }

# The account serves the mirror from here on, nginx still the catalogue.
step "a mirror of that catalogue, by the role and by cron"
mirror=/var/db/apiary/mirror key=$top/tests/fixtures/pkg-repos/keys/rsa.pub
cat >"$lab/mirror.yml" <<YAML
image_repository_path: $mirror
image_repository_mirror_of: https://localhost:$https_port
image_repository_mirror_options: {pubkey: $key, ca_path: $lab/ca.crt}
YAML
mirrored=(-e "@$lab/mirror.yml")
expect_recap 'changed=[1-9].*failed=0' "${mirrored[@]}"
expect_recap 'changed=0.*failed=0' "${mirrored[@]}"
diff -r --exclude='.*' "$catalog" "$mirror" --exclude=index.html --exclude='files.pkg'
by_cron=$(sed -n 's/^\*\/15 \* \* \* \* root //p' /etc/cron.d/apiary-mirror)
[ -n "$by_cron" ] || fail "there is no line for cron"
rm "$mirror/All/$image.pkg"
# As cron does it, whose table sets the path.
cron() { env -i "$(grep ^PATH= /etc/cron.d/apiary-mirror)" HOME=/root SHELL=/bin/sh /bin/sh -c "$by_cron" 2>&1; }
said=$(cron)
[ -z "$said" ] || fail "a run of cron that did its work says: $said"
cmp "$mirror/All/$image.pkg" "$catalog/All/$image.pkg"
cp "$top/tests/fixtures/pkg-repos/unsigned/data.pkg" "$catalog"
said=$(cron)
[[ $said == *'the catalogue is not signed'* ]] || fail "cron does not tell what is wrong but: $said"
cmp "$mirror/data.pkg" "$top/tests/fixtures/pkg-repos/pubkey-rsa/data.pkg"
cp "$top/tests/fixtures/pkg-repos/pubkey-rsa/data.pkg" "$catalog"
expect_recap 'changed=[1-9].*failed=0' "${mirrored[@]}" -e '{"image_repository_mirror_of": ""}'
[ ! -e /etc/cron.d/apiary-mirror ] || fail "cron goes on when the role has it stop"

echo "image_repository: all as expected"
