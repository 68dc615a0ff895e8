/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The one name of FreeBSD's sys/sysctl.h that libvirt's bhyve driver uses. */
#define KERN_PROC_PID 1
