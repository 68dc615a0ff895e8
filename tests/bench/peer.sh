#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The collection community.libvirt, which is in the wheel of the community's bundle: peer.sh FOLDER, with pip and python in PATH.
set -euo pipefail
cd "$1"
pip download --quiet --no-deps --only-binary :all: ansible
python - <<'PYTHON'
import glob, zipfile
with zipfile.ZipFile(glob.glob("ansible-*.whl")[0]) as bundle:
    bundle.extractall(members=[name for name in bundle.namelist() if "community/libvirt/" in name])
PYTHON
rm ansible-*.whl
