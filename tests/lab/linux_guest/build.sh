#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Builds a bootable raw disk with a real Linux: Debian's cloud kernel, systemd, cloud-init and sshd, booted by GRUB from a BIOS.
# build.sh FOLDER: puts disk.raw into the empty FOLDER. disk.sh calls it, once a machine.
set -euo pipefail
work=$1
packages=linux-image-cloud-amd64,initramfs-tools,systemd-sysv,udev,dbus,iproute2,cloud-init,openssh-server,netbase,qemu-guest-agent,sudo,tzdata

echo "building a Linux guest in $work (once, two minutes)"
mkdir "$work/root"
exec 3>&1 >"$work/log" 2>&1
trap '[ $? = 0 ] || tail -n 20 "$work/log" >&3' EXIT
started=$SECONDS

# The guest has the release of this machine, from the same mirror.
codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
# shellcheck disable=SC2016 # apt's own placeholders
apt-get indextargets --format '$(COMPONENT) $(RELEASE) $(REPO_URI)' 'Created-By: Packages' |
    awk -v c="$codename" '$1 == "main" && index($2, c) == 1 && $2 !~ /backports/ {
        print "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]", $3, $2, "main" }' |
    sort -u >"$work/sources.list"
[ -s "$work/sources.list" ] || { echo "looking for packages of $codename: apt's sources name none"; exit 1; }

cat >"$work/customize.sh" <<'INNER'
set -eu
root=$1
echo /dev/vda1 / ext4 defaults 0 1 >"$root/etc/fstab"
# One data source and one kind of host key: every probe and every key costs seconds under emulation.
cat >"$root/etc/cloud/cloud.cfg.d/90-image.cfg" <<'CFG'
datasource_list: [NoCloud, None]
ssh_genkeytypes: [ed25519]
locale: false
manage_etc_hosts: true
CFG
# Nothing is given up because it is slow.
mkdir -p "$root/etc/systemd/system.conf.d"
cat >"$root/etc/systemd/system.conf.d/90-image.conf" <<'CFG'
[Manager]
DefaultTimeoutStartSec=infinity
DefaultDeviceTimeoutSec=infinity
CFG
rm -f "$root"/etc/ssh/ssh_host_* "$root/etc/hostname" "$root/etc/machine-id"
touch "$root/etc/machine-id"
chroot "$root" systemctl enable systemd-networkd
chroot "$root" systemctl mask -q apt-daily.timer apt-daily-upgrade.timer systemd-networkd-wait-online.service \
    e2scrub_reap.service e2scrub_all.timer fstrim.timer dpkg-db-backup.timer
printf '%s\n' virtio_pci virtio_blk ext4 >"$root/etc/initramfs-tools/modules"
sed -i 's/^MODULES=.*/MODULES=list/; s/^COMPRESS=.*/COMPRESS=gzip/' "$root/etc/initramfs-tools/initramfs.conf"
chroot "$root" update-initramfs -u
INNER

# It has its helpers write to file descriptors that sh cannot name once they have two digits: none of ours may be open.
mmdebstrap --quiet --mode=root --variant=minbase --architectures=amd64 \
    --aptopt='APT::Install-Recommends "false"' --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    --include="$packages" --customize-hook="sh $work/customize.sh \"\$1\"" \
    "$codename" "$work/root" - <"$work/sources.list" 3>&-

# no_timer_check: whether the timer ticks is asked for a hundredth of a second, and an emulator that does not get a processor
# for that long makes the kernel panic ("IO-APIC + timer doesn't work!").
mkdir -p "$work/root/boot/grub"
cat >"$work/root/boot/grub/grub.cfg" <<INNER
linux /boot/$(basename "$work"/root/boot/vmlinuz-*) root=/dev/vda1 ro console=ttyS0 quiet mitigations=off no_timer_check
initrd /boot/$(basename "$work"/root/boot/initrd.img-*)
boot
INNER

# 256 MiB of room above what is in it; the file system begins at 1 MiB.
size=$(($(du -sm "$work/root" | cut -f 1) + 256))
truncate -s "$((size + 1))M" "$work/disk.raw"
echo '2048,,L,*' | sfdisk -q "$work/disk.raw"
mkfs.ext4 -q -m 0 -L root -E offset=1048576 -d "$work/root" "$work/disk.raw" "${size}M"
# Without grub-install, which wants a mounted disk: the boot sector loads the core image from the sectors after it.
grub-mkimage -O i386-pc -o "$work/core.img" -p '(hd0,msdos1)/boot/grub' biosdisk part_msdos ext2 linux normal
dd if=/usr/lib/grub/i386-pc/boot.img of="$work/disk.raw" bs=440 count=1 conv=notrunc status=none
dd if="$work/core.img" of="$work/disk.raw" bs=512 seek=1 conv=notrunc status=none

rm -rf "$work/root"
echo "built in $((SECONDS - started)) s: $(stat -c '%s bytes, ' "$work/disk.raw")$(du -m "$work/disk.raw" | cut -f 1) MiB used" >&3
