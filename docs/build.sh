#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Builds the documentation site into docs/build/html: every page of the collection, and the guides of docs/docsite.
set -euo pipefail
cd "$(dirname "$0")/.."
top=$PWD
PATH=$(tests/setup/venv.sh lint)/bin:$PATH
mkdir -p .cache/collections/ansible_collections/apiary
ln -sfn "$top" .cache/collections/ansible_collections/apiary/bhyve
export ANSIBLE_COLLECTIONS_PATH=$top/.cache/collections LC_ALL=C.UTF-8

antsibull-docs lint-collection-docs --plugin-docs "$ANSIBLE_COLLECTIONS_PATH/ansible_collections/apiary/bhyve"
source=.cache/docs
rm -rf --one-file-system "$source" docs/build
install -d -m 0755 "$source" "$source/collections"
cp -r docs/conf.py docs/index.rst docs/monitoring "$source"
antsibull-docs collection --use-current --squash-hierarchy --fail-on-error --dest-dir "$source/collections" apiary.bhyve
sphinx-build --quiet --fail-on-warning --keep-going -b html "$source" docs/build/html
echo "docs/build/html/index.html"
