/* SPDX-License-Identifier: GPL-3.0-or-later */
/* expand_number(3) of FreeBSD. */
#include <stdint.h>

int expand_number(const char *text, uint64_t *number);
