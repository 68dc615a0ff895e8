#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The platform of this machine by the name of its folder in native/, as in linux-x86_64.
echo "$(uname -s | tr '[:upper:]' '[:lower:]')-$(uname -m)"
