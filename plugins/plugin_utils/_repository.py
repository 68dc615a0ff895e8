# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of the role image_repository against each other."""

from __future__ import annotations

import os
import re

_PLAIN = re.compile(r"/[A-Za-z0-9/._-]*")
_SCHEDULE = re.compile(r"([0-9*/,A-Za-z-]+ ){4}[0-9*/,A-Za-z-]+")
# They are many programs in one, and their names tell them which one to be.
_NAMES = {"image_repository_program": "bhyve_catalog_server", "image_repository_mirror_program": "bhyve_catalog_mirror"}
_PATHS = ("image_repository_path", "image_repository_home", *_NAMES, "image_repository_mirror_settings")


def faults(variables, system):
    """What is wrong with VARIABLES by their names on a host that calls its SYSTEM so, a line for each."""
    return [*_server_faults(variables, system), *_https_faults(variables), *_path_faults(variables), *_schedule_faults(variables), *_folder_faults(variables)]


def _server_faults(variables, system):
    server = variables["image_repository_server"]
    if server != "program" and system != "FreeBSD":
        yield ("image_repository_server: expected program on %s, where nothing confines pkg's own server to the catalogue, "
               "found %s; leave it out") % (system, server)


def _https_faults(variables):
    certificate, key = "image_repository_http_certificate", "image_repository_http_key"
    for one, other in ((certificate, key), (key, certificate)):
        if variables[one] and not variables[other]:
            yield "%s: expected a file to go with %s, found nothing; set both for https, or neither" % (other, one)


def _path_faults(variables):
    """They stand in the configuration of sshd, nginx and cron, which read blanks, quotes and more as something else."""
    for name in _PATHS:
        path = str(variables[name])
        if not _PLAIN.fullmatch(path):
            yield "%s: expected an absolute path of letters, digits and / . _ -, found %r; choose another place" % (name, path)
        elif name in _NAMES and os.path.basename(path) != _NAMES[name]:
            known = os.path.join(os.path.dirname(path), _NAMES[name])
            yield "%s: expected a path that ends in %s, by which the program knows what to be, found %s; set it to %s" % (name, _NAMES[name], path, known)


def _schedule_faults(variables):
    schedule = str(variables["image_repository_mirror_schedule"])
    if schedule and not _SCHEDULE.fullmatch(schedule):
        yield ("image_repository_mirror_schedule: expected five fields of crontab(5) as in */15 * * * *, found %r; "
               "write five, with one blank between them, or leave it empty for never") % schedule


def _folder_faults(variables):
    """Who fetches would see the home, and the account could not go through its home to what it serves."""
    path, home = ("image_repository_path", "image_repository_home")
    inside = {name: os.path.join(os.path.normpath(str(variables[name])), "") for name in (path, home)}
    for inner, outer in ((home, path), (path, home)):
        if inside[inner].startswith(inside[outer]):
            yield "%s: expected a folder outside of %s, %s, found %s; choose another place" % (inner, outer, variables[outer], variables[inner])
            return
