# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with what the playbook publish is told, before the host is asked for anything."""

from __future__ import annotations

from collections.abc import Mapping

from ansible_collections.apiary.bhyve.plugins.plugin_utils._words import kind, meant

# The options of bhyve_catalog that are an image's own.
KEYS = (
    "name", "version", "source", "source_checksum", "source_signature", "source_keyring", "ca_path", "format", "volblocksize", "os", "arch", "comment",
    "maintainer", "www", "requirements", "annotations", "parent", "compression", "compression_level", "compression_threads",
)
_NEEDED = ("name", "version", "source")
_MISSING = "publishing images: expected %s to be set for this host, as a variable of it or of the group bhyve_repository, or with -e"
_NO_LIST = "publishing images: expected bhyve_images to be a list of images, each with name, version and source, found %s"
_NO_LIST_BUT = "; apiary.bhyve.images takes a dictionary"


def publishing_problems(told):
    """Of the variables by their names, which are None where nobody has set them; one line each."""
    unset = [name for name, value in told.items() if value is None]
    return ([_MISSING % " and ".join(unset)] if unset else []) + list(_images_faults(told.get("bhyve_images")))


def _images_faults(images):
    if images is None:
        return
    if not isinstance(images, (list, tuple)):
        yield _NO_LIST % ("text" if isinstance(images, str) else kind(images)) + (_NO_LIST_BUT if isinstance(images, Mapping) else "")
        return
    for number, image in enumerate(images):
        yield from _faults(number, image)


def _faults(number, image):
    if not isinstance(image, Mapping):
        yield "publishing entry %d of bhyve_images: expected a dictionary with name, version and source, found %s" % (number, kind(image))
        return
    called = "publishing %s" % image.get("name", "entry %d of bhyve_images" % number)
    for key in image:
        if key not in KEYS:
            close = meant(key, KEYS)
            yield "%s: unknown key '%s'%s" % (called, key, "; did you mean '%s'?" % close if close else ", expected some of %s" % ", ".join(KEYS))
    for key in _NEEDED:
        if image.get(key) is None:
            yield "%s: '%s' is missing" % (called, key)


class FilterModule:
    """Filters of playbooks/publish.yml."""

    def filters(self):
        """Names in playbooks."""
        return {"publishing_problems": publishing_problems}
