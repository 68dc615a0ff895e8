#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Builds the documentation site into docs/build/html: every page of the collection, and the guides of docs/docsite.
set -euo pipefail
cd "$(dirname "$0")/.."
top=$PWD
PATH=$(tests/setup/venv.sh lint)/bin:$PATH
mkdir -p .cache/collections/ansible_collections/apiary
ln -sfn "$top" .cache/collections/ansible_collections/apiary/bhyve
export ANSIBLE_COLLECTIONS_PATH=$top/.cache/collections PYTHONPATH=$top/.cache/collections LC_ALL=C.UTF-8

antsibull-docs lint-collection-docs --plugin-docs "$ANSIBLE_COLLECTIONS_PATH/ansible_collections/apiary/bhyve"
source=.cache/docs
rm -rf --one-file-system "$source" docs/build
install -d -m 0755 "$source" "$source/collections"
cp -r docs/conf.py docs/index.rst docs/main_job.svg docs/main_job_narrow.svg docs/monitoring docs/recording docs/theme "$source"
python3 docs/guest_reference.py "$source/guest.rst"
# The guides of the collection, in their order, in the list beside every page.
guides=$(sed -n 's/^      - \(guide_.*\)/   collections\/docsite\/\1/p' docs/docsite/extra-docs.yml)
sed -i "s#^   GUIDES\$#${guides//$'\n'/\\n}#" "$source/index.rst"
# In the page itself: a browser fetches nothing for a page that was opened as a file.
{
    echo '<script type="application/x-asciicast" id="deploy-cast">'
    cat docs/recording/deploy.cast
    echo '</script>'
} >"$source/recording/deploy.html"
antsibull-docs collection --use-current --squash-hierarchy --fail-on-error --dest-dir "$source/collections" apiary.bhyve
sphinx-build --quiet --fail-on-warning --keep-going -b html "$source" docs/build/html
echo "docs/build/html/index.html"
