#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Builds the guest: Debian's kernel, OpenZFS compiled for it from Debian's own source package, and a root file system.
# build.sh FOLDER: puts vmlinuz, rootfs.ext4, early/, key and build-times into the empty FOLDER. `host.sh build` calls it.
. "$(dirname "$0")/common.sh"
. "$here/apt.sh"

work=$1
failed() {
    [ -z "$modules_pid" ] || kill -- "-$modules_pid" 2>/dev/null || true
    tail -n 15 "$work"/*.log >&3
    echo "tests/zfs: the guest cannot be built; the ends of its logs are above" >&3
}
modules_pid=
trap '[ $? = 0 ] || failed' EXIT

timed() {
    local label=$1 start=$SECONDS
    shift
    "$@"
    echo "$label $((SECONDS - start)) s" >>"$work/build-times"
}

echo "tests/zfs: building a guest with real ZFS (once, some minutes)" >&2
exec 3>&2 >"$work/apt.log" 2>&1
apt_setup "$work/lists"
apt_install qemu-system-x86_64=qemu-system-x86 mmdebstrap=mmdebstrap cpio=cpio gcc=gcc make=make ssh=openssh-client mkfs.ext4=e2fsprogs

image=$(apt_field linux-image-cloud-amd64 Depends | grep -o 'linux-image-[^ ]*')
kernel=${image#linux-image-}
zfs=$(apt_field zfs-dkms Version backports)
echo "kernel $kernel, ZFS $zfs" >"$work/build-times"

tree=$work/kernel
modules() {
    local headers=$tree/usr/src/linux-headers-$kernel common=$tree/usr/src/linux-headers-${kernel%-cloud-amd64}-common
    apt_unpack "$tree" "$image" "linux-headers-$kernel" "${common##*/}" "linux-kbuild-$(cut -d. -f1,2 <<<"$kernel")" "zfs-dkms=$zfs"
    # Debian's header packages name each other by absolute path.
    echo "include $common/Makefile" >"$headers/Makefile"
    cd "$tree"/usr/src/zfs-* || exit
    # The hundreds of configure's probes are kernel modules: they, too, are compiled in parallel and without debug information.
    export KCFLAGS=-g0 TEST_JOBS
    TEST_JOBS=$(nproc)
    timed configure ./configure -q --disable-dependency-tracking --with-config=kernel --with-linux="$common" --with-linux-obj="$headers"
    timed compile make -s -j"$(nproc)"
    strip --strip-debug module/zfs.ko module/spl.ko
}

root=$work/root
rootfs() {
    timed rootfs as_root mmdebstrap --quiet --mode=root --variant=minbase --architectures=amd64 \
        --aptopt='APT::Install-Recommends "false"' --dpkgopt='path-exclude=/usr/share/doc/*' \
        --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
        --setup-hook='printf "Package: src:zfs-linux\nPin: release n=*-backports\nPin-Priority: 900\n" >"$1/etc/apt/preferences.d/zfs"' \
        --include="zfsutils-linux,openssh-server,udev,kmod,iproute2,busybox-static,zstd,xz-utils" \
        "$codename" "$root" - <"$work/sources.list"
}

install_modules() {
    local n=0 module at=$root/lib/modules/$kernel
    as_root mkdir -p "$at"
    as_root cp -a "$tree/lib/modules/$kernel/kernel" "$tree/lib/modules/$kernel"/modules.* "$at/"
    as_root cp "$tree"/usr/src/zfs-*/module/{zfs,spl}.ko "$at/"
    as_root chroot "$root" depmod "$kernel"
    # What must be loaded before the root file system is there, in loading order.
    mkdir "$work/early"
    for module in $(as_root chroot "$root" modprobe --set-version "$kernel" --show-depends -a virtio_pci virtio_blk |
        awk '/^insmod/ && !seen[$2]++ { print $2 }'); do
        n=$((n + 1))
        cp "$root$module" "$work/early/$(printf %02d "$n")-${module##*/}"
    done
    cp "$root/bin/busybox" "$work/early/"
}

disk_image() {
    install_modules
    as_root chroot "$root" useradd -m -u 1000 -s /bin/bash tester
    as_root rm -rf "$root/var/cache/apt" "$root/var/lib/apt/lists"
    truncate -s 2G "$work/rootfs.ext4"
    as_root mkfs.ext4 -q -F -O ^has_journal -m 0 -d "$root" "$work/rootfs.ext4"
    cp "$tree/boot/vmlinuz-$kernel" "$work/vmlinuz"
    ssh-keygen -q -t ed25519 -N '' -C zfs-host -f "$work/key"
}

set -m # a process group of its own, so that a failure elsewhere can end it
(modules) >"$work/modules.log" 2>&1 &
modules_pid=$!
set +m
(rootfs) >"$work/rootfs.log" 2>&1
wait "$modules_pid"
modules_pid=
timed image disk_image >"$work/image.log" 2>&1
as_root rm -rf "$root" "$tree" "$work/lists"
cat "$work/build-times" >&3
