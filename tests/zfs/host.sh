#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A machine with real ZFS on loopback: build, start, use, stop.
#   host.sh build              build the guest, once a machine: again when its recipe or Debian's kernel has moved on
#   host.sh start              boot it with an empty disk for a pool, /dev/vdb
#   host.sh boot               boot it with the disk as it is
#   host.sh cut                a power cut: kill -9
#   host.sh stop               end it
#   host.sh ssh COMMAND...     run COMMAND as root in it
#   host.sh push PATH...       copy files and folders to /root/
#   host.sh status             is it there?
# ZFS_HOST_MEMORY: MiB of memory it starts with, 2048 by default.
. "$(dirname "$0")/common.sh"

pid() {
    local found
    found=$(cat "$run/pid" 2>/dev/null) || return 1
    # The number may belong to somebody else by now.
    grep -qsF -- "$run/pid" "/proc/$found/cmdline" || return 1
    echo "$found"
}

ssh_options=(-q -i "$current/key" -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null
    -o ControlMaster=auto -o "ControlPath=$run/ssh" -o ControlPersist=600 -o ConnectTimeout=20 -o Ciphers=aes128-gcm@openssh.com)

in_guest() {
    ssh "${ssh_options[@]}" -p "$(cat "$run/port")" root@127.0.0.1 "$@"
}

initramfs() {
    local dir=$run/initramfs
    rm -rf "$dir"
    mkdir -p "$dir/bin" "$dir/early"
    cp "$current/early"/*.ko "$dir/early/"
    cp "$current/early/busybox" "$dir/bin/"
    cp "$here/init" "$here/guest" "$dir/"
    cp "$current/key.pub" "$dir/"
    chmod 755 "$dir/init" "$dir/guest"
    (cd "$dir" && find . | cpio --quiet -o -H newc >"$run/initramfs.cpio")
}

build() {
    local key
    key=$({
        cat "$here"/{build,apt}.sh
        apt-cache show --no-all-versions linux-image-cloud-amd64 2>/dev/null | grep ^Version:
    } | cache_key)
    mkdir -p "$state"
    # Two suites may do this at once.
    ln -sn "$(cached zfs-host "$key" "$here/build.sh")" "$current.$$"
    mv -T "$current.$$" "$current"
}

# KVM is not asked for: where it is broken it is worse than none, and the tests must mean the same everywhere.
# no_timer_check: a kernel that gets no processor for a moment would take its timer for broken, and panic.
launch() {
    local port=$1
    qemu-system-x86_64 -nodefaults -no-user-config -display none -daemonize -pidfile "$run/pid" -no-reboot \
        -accel tcg,thread=multi -M q35 -cpu max -smp 2 -m "${ZFS_HOST_MEMORY:-2048}" -serial "file:$run/console" \
        -kernel "$current/vmlinuz" -initrd "$run/initramfs.cpio" -append "console=ttyS0 quiet panic=-1 nokaslr mitigations=off no_timer_check" \
        -device virtio-rng-pci \
        -netdev "user,id=n0,restrict=on,hostfwd=tcp:127.0.0.1:$port-:22" -device virtio-net-pci,netdev=n0,romfile= \
        -drive "file=$(realpath "$current/rootfs.ext4"),if=none,id=d0,format=raw,cache=unsafe,snapshot=on" -device virtio-blk-pci,drive=d0 \
        -drive "file=$run/pool.raw,if=none,id=d1,format=raw,cache=unsafe,discard=unmap" -device virtio-blk-pci,drive=d1 2>"$run/qemu.log"
}

boot() {
    local try port
    [ -e "$current/vmlinuz" ] || die "there is no guest yet: run 'tests/zfs/host.sh build'"
    pid >/dev/null && die "the guest runs already: 'tests/zfs/host.sh stop' first"
    rm -f "$run/ssh" "$run/console"
    initramfs
    # Two emulated machines starve each other: qemu holds the lock as long as it lives.
    cache_lock emulated
    for try in 1 2 3 4 5 6 7 8 9 10; do
        port=$((20000 + RANDOM % 12000))
        launch "$port" && break
        grep -q 'Could not set up host forwarding' "$run/qemu.log" || die "qemu: $(cat "$run/qemu.log")"
        [ "$try" != 10 ] || die "ten ports on loopback were tried and all are taken"
    done
    exec 8>&-
    echo "$port" >"$run/port"
    wait_for 300 "the guest to be ready" is_ready || exit 1
}

# Usually after less than 30 seconds.
is_ready() {
    pid >/dev/null || { echo "it has ended; its console: $(tail -n 20 "$run/console")"; return 3; }
    grep -qs '^READY' "$run/console" && in_guest true || { echo "its console: $(tail -n 20 "$run/console")"; return 1; }
}

push() {
    local file args=()
    for file in "$@"; do args+=(-C "$(realpath "$(dirname "$file")")" "$(basename "$file")"); done
    tar -chf - "${args[@]}" | in_guest tar -C /root -xf -
}

# end SIGNAL
end() {
    local found
    found=$(pid) || return 0
    ssh "${ssh_options[@]}" -O exit -p "$(cat "$run/port")" root@127.0.0.1 2>/dev/null || true
    kill "-$1" "$found"
    while pid >/dev/null; do sleep 0.05; done
    rm -f "$run/pid" "$run/ssh"
}

verb=${1-}
shift || die "usage: host.sh build|start|boot|cut|stop|ssh COMMAND...|push PATH...|status"
case $verb in
build) build ;;
start)
    mkdir -p "$run"
    rm -f "$run/pool.raw"
    truncate -s 512G "$run/pool.raw" # all holes
    boot
    ;;
boot) boot ;;
cut) end KILL ;;
stop) end TERM ;;
ssh) in_guest "$@" ;;
push) push "$@" ;;
status) if pid >/dev/null; then echo "running, ssh on 127.0.0.1:$(cat "$run/port")"; else echo "not running" && exit 1; fi ;;
*) die "no such verb: $verb" ;;
esac
