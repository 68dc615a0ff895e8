/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kvm(3) of FreeBSD as far as libvirt's bhyve driver uses it: one process, its command line and its processor time. */
#ifndef APIARY_KVM_H
#define APIARY_KVM_H

#include <sys/types.h>

typedef struct shim_kvm kvm_t;

struct kinfo_proc {
    pid_t ki_pid;
    unsigned long long ki_runtime; /* microseconds */
};

kvm_t *kvm_openfiles(const char *execfile, const char *corefile, const char *swapfile, int flags, char *errbuf);
struct kinfo_proc *kvm_getprocs(kvm_t *kd, int op, int arg, int *count);
char **kvm_getargv(kvm_t *kd, const struct kinfo_proc *process, int nchr);
int kvm_close(kvm_t *kd);

#endif
