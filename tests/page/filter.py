#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of a catalogue of 2,000 images in a real browser: keys are typed into its filter, the right images stay, and it is said how long a key takes.

filter.py PROGRAMS: the folder of the programs, which write the page.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "bench"))
import many_images  # noqa: E402
from browser import Browser  # noqa: E402

COUNT = 2000
SYSTEMS = ("freebsd-14", "debian-12", "ubuntu-24.04", "alma-9", "openbsd-7")
TEAMS = ("platform", "storage", "web")
DRIVERS = ("nvme", "virtio-blk")
# The image whose publishing writes the page.
OTHER = "zz-other"


def described(number):
    """Image 7 is called debian-12-ZFS-7G-of-team-2 and has labels of its own."""
    system, team, driver = (words[number % len(words)] for words in (SYSTEMS, TEAMS, DRIVERS))
    labels = {"image_os": system, "image_disk_driver": driver, "team": team, "note": "number %d of many" % number}
    return "%s-ZFS-%dG-of-%s" % (system, number, team), {"comment": "An image for %s" % team, "annotations": labels}


def wanted(typed):
    """The images that have every word that is typed, by what was put into them."""
    words = typed.lower().split()
    names = []
    for number in range(COUNT):
        name, more = described(number)
        text = " ".join([name + "-1", more["comment"], *more["annotations"].values()]).lower()
        if all(word in text for word in words):
            names.append(name)
    return sorted(names)


# What Chromium itself calls a long task is a pause of 50 ms and more; `frame` ends when what a key did has been painted.
OBSERVE = """
globalThis.pauses = [];
new PerformanceObserver((list) => pauses.push(...list.getEntries().map((each) => each.duration))).observe({type: "longtask"});
document.querySelector("#filter").focus();
globalThis.frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
addEventListener("keydown", () => { globalThis.pressed = performance.now(); frame().then(() => { globalThis.took = performance.now() - pressed; }); }, true);
"""
LEFT = '[...document.querySelectorAll("article")].filter((each) => each.checkVisibility()).map((each) => each.querySelector("h2").textContent)'


def page_of(programs, folder):
    """The page that the program writes when an image is published into a catalogue that has so many."""
    catalogue = os.path.join(folder, "catalogue")
    disk = os.path.join(folder, "disk.raw")
    with open(disk, "wb") as file:
        file.write(os.urandom(64 << 10))

    def publish(version):
        options = {"path": catalogue, "name": OTHER, "version": version, "source": disk, "format": "raw", "os": "none", "signature_type": "none",
                   "requirements": {"memory": "512M", "loader": "uefi"}}
        done = subprocess.run([os.path.join(programs, "bhyve_catalog"), "-"], input=json.dumps(options).encode(), capture_output=True, check=False)
        assert done.returncode == 0, done.stdout

    publish("0")
    many_images.fill(catalogue, COUNT, described)
    publish("1")
    return os.path.join(catalogue, "index.html")


def typed_into(browser, keys):
    """Types keys one after another: how long each took until it was painted, in milliseconds."""
    took, text = [], ""
    for key in keys:
        text = text[:-1] if key == "Backspace" else text + key
        browser.key(key)
        took.append(browser.tell("frame().then(() => took)"))
        assert browser.tell("document.querySelector('#filter').value") == text
        left, expected = [name for name in browser.tell(LEFT) if name != OTHER], wanted(text)
        assert left == expected, "after %r: expected %d images, found %d: %s" % (text, len(expected), len(left), sorted(set(left) ^ set(expected))[:5])
    return took


def main():
    with tempfile.TemporaryDirectory(prefix="apiary-filter.") as folder:
        page = page_of(sys.argv[1], folder)
        with Browser() as browser:
            for width in (1280, 390):
                browser.show(page, width)
                browser.tell(OBSERVE)
                took = typed_into(browser, [*"Debian nvme st", *["Backspace"] * 14, *"number 1999"])
                pauses = browser.tell("frame().then(() => pauses)")
                print("%d images at %d pixels: a key takes %.0f ms, the slowest %.0f ms; pauses of 50 ms and more: %s" % (
                    COUNT, width, statistics.median(took), max(took), ", ".join("%.0f ms" % each for each in pauses) or "none"))


main()
