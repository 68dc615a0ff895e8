/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kqueue(2) of FreeBSD as far as libvirt's bhyve driver uses it: to be told once that a process has ended, and how. */
#ifndef APIARY_EVENT_H
#define APIARY_EVENT_H

#include <stdint.h>
#include <time.h>

struct kevent {
    uintptr_t ident;
    short filter;
    unsigned short flags;
    unsigned int fflags;
    int64_t data;
    void *udata;
};

#define EVFILT_PROC (-5)
#define EV_ADD 0x0001
#define EV_ERROR 0x4000
#define NOTE_EXIT 0x80000000U

#define EV_SET(event, id, filt, flag, fflag, dat, user) \
    (*(event) = (struct kevent){.ident = (uintptr_t)(id), .filter = (filt), .flags = (flag), .fflags = (fflag), .data = (dat), .udata = (user)})

int kqueue(void);
int kevent(int queue, const struct kevent *changes, int nchanges, struct kevent *events, int nevents, const struct timespec *timeout);

#endif
