#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of a catalogue that is served over http, in a real browser: it knows its address, and what is copied from it is what stands there.

served.py CATALOGUE
"""

from __future__ import annotations

import functools
import http.server
import os
import sys
import threading

from browser import Browser

CODES = '[...document.querySelectorAll("pre code")].map((code) => code.textContent)'
COPY = """
globalThis.copied = [];
Object.defineProperty(navigator, "clipboard", {value: {writeText: async (text) => { copied.push(text); }}});
document.querySelectorAll("details").forEach((part) => { part.open = true; });
document.querySelectorAll("pre button").forEach((button) => button.click());
copied
"""
# Of each text, whether a finger finds its button, or something lies over it.
COVERED = """
[...document.querySelectorAll("pre button")].filter((button) => {
  button.scrollIntoView({block: "center"});
  const {left, top, width, height} = button.getBoundingClientRect();
  return document.elementFromPoint(left + width / 2, top + height / 2) !== button;
}).length
"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves a folder and writes no log."""

    def log_message(self, *_words):
        """Nothing."""


def main():
    parent, name = os.path.split(os.path.abspath(sys.argv[1]))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=parent)) as server, Browser() as browser:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        served = "http://127.0.0.1:%d/%s" % (server.server_port, name)
        for width in (1280, 390):
            for url, address in ((served + "/", served), (served + "/index.html", served), (sys.argv[1] + "/index.html", "ssh://images@HOST")):
                browser.show(url, width)
                codes = browser.tell(CODES)
                assert codes[0] == "bhyve_catalog: %s\nbhyve_catalog_pubkey: /usr/local/etc/apiary/images.pub" % address, (url, codes[0])
            browser.show(served + "/", width)
            assert browser.tell(COPY) == [code.replace("ssh://images@HOST", served) + "\n" for code in codes], browser.tell("copied")
            covered = browser.tell(COVERED)
            assert covered == 0, "%d of %d buttons are covered at %d pixels" % (covered, len(codes), width)
        server.shutdown()


main()
