/* SPDX-License-Identifier: GPL-3.0-or-later */
/* libvirt's bhyve driver takes nothing from FreeBSD's net/if_tap.h. */
