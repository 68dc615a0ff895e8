# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# A real browser, for pages that tell what is seen of them by `parent.postMessage`. Sourced, by who has $folder and patience.

browser() {
    HOME=$folder timeout "$(patience 120)" chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --hide-scrollbars \
        --user-data-dir="$folder/profile" "$@" 2>"$folder/browser.log" || { cat "$folder/browser.log" >&2; exit 1; }
}

# What a page says that is WIDTH pixels wide: in a frame, since the browser's own window does not get as narrow as a phone.
# seen_in_frame WIDTH PAGE [OPTIONS OF THE BROWSER...]
seen_in_frame() {
    cat >"$folder/frame.html" <<EOF
<script>addEventListener("message", (message) => { document.title = message.data; });</script>
<iframe src="file://$2" style="border: 0; width: $1px; height: 1000px"></iframe>
EOF
    browser --virtual-time-budget=5000 --dump-dom "${@:3}" "file://$folder/frame.html" >"$folder/dom.html"
    sed -n 's/.*<title>\(.*\)<\/title>.*/\1/p' "$folder/dom.html"
}
