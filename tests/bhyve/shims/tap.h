/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Included before every file of the driver: a tap device is made with a descriptor here, and keeps the name it was made with. */
#ifndef APIARY_TAP_H
#define APIARY_TAP_H

#include <config.h>
#include <unistd.h>

#include "virerror.h"
#include "virnetdevtap.h"

static inline int
shim_tap(const char *bridge, char **ifname, const virMacAddr *mac, const unsigned char *uuid, unsigned int flags)
{
    int tap = -1;

    if (virNetDevTapCreateInBridgePort(bridge, ifname, mac, uuid, NULL, &tap, 1, NULL, NULL, VIR_TRISTATE_BOOL_ABSENT,
                                       NULL, 0, NULL, flags) < 0)
        return -1;
    if (tap >= 0)
        close(tap);
    return 0;
}

#define virNetDevTapCreateInBridgePort(bridge, ifname, mac, uuid, path, fds, count, port, vlan, isolated, coalesce, mtu, actual, flags) \
    shim_tap(bridge, ifname, mac, uuid, flags)
/* Linux has no other name for it, and says that this cannot be asked. */
static inline char *
shim_real_name(char *ifname)
{
    char *real = virNetDevTapGetRealDeviceName(ifname);

    if (real)
        return real;
    virResetLastError();
    return g_strdup(ifname);
}
#define virNetDevTapGetRealDeviceName(ifname) shim_real_name(ifname)

#endif
