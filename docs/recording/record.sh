#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Records a real deployment, that of the demo, as docs/recording/deploy.cast, and draws docs/recording/deploy.svg from it.
# Nothing is retouched: what was printed and when is what the cast has. Needs root, like the demo.
set -euo pipefail
APIARY_DEMO=${APIARY_DEMO:-/var/tmp/apiary}
export APIARY_DEMO
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/demo/common.sh
. "$here/../../tests/demo/common.sh"
trap '"$top/tests/demo/clean.sh" --quiet' EXIT

prepare_demo
"$top/tests/demo/make-disk.sh" "$folder/demo.raw" 20261122 64M
playbook publish >/dev/null
# What the demo otherwise says on the command line.
printf 'demo_folder: %s\ndemo_uri: %s\n' "$folder" "$LIBVIRT_URI" >>"$folder/site/group_vars/all.yml"
export ANSIBLE_FORCE_COLOR=1
cd "$folder/site"
deploy="ansible-playbook apiary.bhyve.deploy"
python3 "$here/record.py" "$here/deploy.cast" "Three guests from a signed catalogue" \
    "sed -n '/^bhyve_guests/,/^  web2/p' host_vars/hv1.yml" \
    "$deploy" \
    "ansible-playbook apiary.bhyve.list" \
    "sed -i '/web2:/,/memory:/ s/32M/64M/' host_vars/hv1.yml" \
    "$deploy --check --diff"
python3 "$here/still.py" "$here/deploy.cast" "$here/deploy.svg" "$deploy"
