/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A stand-in for bhyvectl(8): `bhyvectl --destroy --vm=NAME` ends the stand-in for bhyve that runs that guest. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
    const char *name = NULL;
    char path[512];
    FILE *file;
    int pid, destroy = 0;

    for (int at = 1; at < argc; at++) {
        if (strncmp(argv[at], "--vm=", 5) == 0)
            name = argv[at] + 5;
        destroy |= strcmp(argv[at], "--destroy") == 0;
    }
    if (!name || !destroy) {
        fprintf(stderr, "usage: bhyvectl --destroy --vm=NAME\n");
        return 1;
    }
    /* Where /dev/vmm would show it. */
    snprintf(path, sizeof(path), "/run/libvirt/vmm/%s", name);
    file = fopen(path, "r");
    if (!file) {
        fprintf(stderr, "bhyvectl: vm_open failed: No such file or directory\n");
        return 1;
    }
    if (fscanf(file, "%d", &pid) == 1)
        kill(pid, SIGKILL);
    fclose(file);
    unlink(path);
    return 0;
}
