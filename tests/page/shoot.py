#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Screenshots of pages, as wide as a desk and as narrow as a phone: shoot.py FOLDER NAME=PAGE..."""

from __future__ import annotations

import os
import sys

from browser import Browser


def main():
    folder, *pages = sys.argv[1:]
    with Browser() as browser:
        for name, _equals, page in (each.partition("=") for each in pages):
            for width in (1280, 390):
                browser.show(page, width)
                browser.shoot(os.path.join(folder, "%s-%d.webp" % (name, width)), 1600)


main()
