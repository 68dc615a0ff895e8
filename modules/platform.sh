#!/bin/sh
# The platform of this machine by the name of its folder in native/, as in linux-x86_64.
echo "$(uname -s | tr '[:upper:]' '[:lower:]')-$(uname -m)"
