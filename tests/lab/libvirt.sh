# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# A libvirtd of one's own, for tests and the demo: no systemd, its own configuration, sockets, state and logs in one folder.
#
#   . tests/lab/libvirt.sh
#   libvirt_start DIR      starts it and sets LIBVIRT_URI; DIR must be short (a socket's name is at most 107 bytes)
#   libvirt_stop DIR       ends it and every guest it runs; domains that are defined stay in DIR
#
# As root it runs in a mount namespace where DIR's folders lie over libvirt's own, so it never meets a libvirtd of the
# system. As another user it is a session daemon whose XDG folders are in DIR.

# shellcheck source=tests/patience.sh
. "$(dirname "${BASH_SOURCE[0]}")/../patience.sh"

libvirt_configure() (
    mkdir -p "$1/etc/qemu" "$1/run" "$1/lib" "$1/cache" "$1/log"
    cat >"$1/etc/libvirtd.conf" <<EOF
auth_unix_ro = "none"
auth_unix_rw = "none"
log_level = 3
log_outputs = "3:file:$1/log/libvirtd.log"
EOF
    cat >"$1/etc/qemu.conf" <<EOF
user = "root"
group = "root"
namespaces = []
security_driver = "none"
cgroup_controllers = []
stdio_handler = "file"
EOF
)

# Runs in place of the shell that calls it, so that its process id is the one the caller knows.
libvirt_exec_system() {
    mkdir -p /run/libvirt
    # shellcheck disable=SC2016 # expanded by the inner shell
    exec unshare -m sh -ec '
        mount --bind "$1/etc" /etc/libvirt
        mount --bind "$1/run" /run/libvirt
        mount --bind "$1/lib" /var/lib/libvirt
        mount --bind "$1/cache" /var/cache/libvirt
        mount --bind "$1/log" /var/log/libvirt
        exec libvirtd -f "$1/etc/libvirtd.conf" -p "$1/libvirtd.pid"
    ' sh "$1"
}

libvirt_exec_session() {
    mkdir -p "$1/etc/libvirt"
    # A session's guests run as the session's user.
    grep -v -e '^user' -e '^group' "$1/etc/qemu.conf" >"$1/etc/libvirt/qemu.conf"
    exec env XDG_RUNTIME_DIR="$1/run" XDG_CONFIG_HOME="$1/etc" XDG_CACHE_HOME="$1/cache" XDG_DATA_HOME="$1/lib" \
        libvirtd -f "$1/etc/libvirtd.conf" -p "$1/libvirtd.pid"
}

libvirt_start() {
    libvirt_configure "$1" || return
    if [ "$(id -u)" -eq 0 ]; then
        LIBVIRT_URI="qemu+unix:///system?socket=$1/run/libvirt-sock"
        PATH="$PATH:/usr/sbin:/sbin" libvirt_exec_system "$1" >"$1/log/start.log" 2>&1 &
    else
        LIBVIRT_URI="qemu+unix:///session?socket=$1/run/libvirt/libvirt-sock"
        PATH="$PATH:/usr/sbin:/sbin" libvirt_exec_session "$1" >"$1/log/start.log" 2>&1 &
    fi
    libvirt_pid=$!
    echo "$libvirt_pid" >"$1/daemon.pid"
    # The first connection probes the emulator, which takes seconds.
    if ! wait_for 300 "libvirtd in $1 to answer" libvirt_has_answered_or_ended || ! kill -0 "$libvirt_pid" 2>/dev/null; then
        echo "libvirtd did not come up in $1:" >&2
        cat "$1/log/start.log" "$1/log/libvirtd.log" >&2 2>/dev/null
        libvirt_stop "$1"
        return 1
    fi
    export LIBVIRT_URI
}

libvirt_has_answered_or_ended() {
    ! kill -0 "$libvirt_pid" 2>/dev/null || virsh -q -c "$LIBVIRT_URI" version
}

libvirt_stop() {
    local file
    for file in "$1/daemon.pid" "$1"/run/qemu/*.pid "$1"/run/libvirt/qemu/run/*.pid; do
        libvirt_end "$file" "$1"
    done
}

# libvirt_end FILE DIR: ends the process of DIR's daemon that FILE names and waits for it, ten seconds politely.
libvirt_end() {
    local pid
    [ -s "$1" ] || return 0
    pid=$(cat "$1")
    rm -f "$1"
    libvirt_has_ended "$pid" "$2" || kill "$pid" 2>/dev/null || true
    wait_for 10 "process $pid to end" libvirt_has_ended "$pid" "$2" 2>/dev/null || kill -9 "$pid" 2>/dev/null || true
    wait_for 60 "process $pid to end, which was killed" libvirt_has_ended "$pid" "$2"
}

# Numbers of processes come round within minutes, and the next owner may be a guest of another suite's libvirtd: ours has DIR on
# its command line, or mounted over libvirt's own folders.
libvirt_has_ended() {
    case $(cat "/proc/$1/comm" 2>/dev/null) in
    libvirtd | qemu-*) ! grep -qsF -- "${2##*/tmp/}/" "/proc/$1/cmdline" "/proc/$1/mountinfo" ;;
    esac
}
