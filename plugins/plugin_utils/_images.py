# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The images of `bhyve_images`: a list in the words of the module bhyve_catalog, or a dictionary in shorter ones."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ansible_collections.apiary.bhyve.plugins.module_utils._documented import load
from ansible_collections.apiary.bhyve.plugins.modules import bhyve_catalog
from ansible_collections.apiary.bhyve.plugins.plugin_utils._words import kind, meant

# What the dictionary calls otherwise than the module.
CALLED = {"checksum": "source_checksum", "signature": "source_signature", "keyring": "source_keyring", "labels": "annotations"}
# What is said of a catalogue, not of an image in it.
OF_CATALOGUE = ("path", "state", "signing_key", "signing_command", "signature_type", "pubkey", "lock_timeout", "keep_images")
OF_PRUNING = ("keep", "keep_days")
_MISSING = "publishing images: expected %s to be set for this host, as a variable of it or of the group bhyve_repository, or with -e"
_NEITHER = "publishing images: expected bhyve_images to be a dictionary of images, or a list of them, found %s"
_VERSIONED = re.compile(r"(?P<name>.+)-(?P<version>[0-9][A-Za-z0-9._]*)")


class Image:
    """An entry of `bhyve_images`."""

    def __init__(self, key, told, is_named):
        self.key = key
        self.is_named = is_named
        self.given = told
        self.told = told if isinstance(told, Mapping) else {}

    def known(self):
        """What an entry may say."""
        options = [option for option in load(bhyve_catalog.DOCUMENTATION)["options"] if option not in OF_CATALOGUE]
        if not self.is_named:
            return [option for option in options if option not in OF_PRUNING]
        called = {option: key for key, option in CALLED.items()}
        return [called.get(option, option) for option in options]

    def options(self):
        """The same in the words of the module."""
        options = {CALLED.get(key, key) if self.is_named else key: value for key, value in self.told.items()}
        if self.is_named:
            options.setdefault("name", self.key)
            versioned = _VERSIONED.fullmatch(str(options["name"]))
            if "version" not in options and versioned:
                options.update(versioned.groupdict())
        return options

    def id(self):
        """NAME-VERSION, as far as it is said."""
        options = self.options()
        return "%s-%s" % (options.get("name"), options.get("version"))

    def faults(self):
        """Why nothing can be published from it."""
        if self.given is not None and not isinstance(self.given, Mapping):
            yield "expected a dictionary, found %s" % kind(self.given)
            return
        for key in sorted(str(key) for key in self.told if key not in self.known()):
            close = meant(key, self.known())
            yield "unknown key '%s'%s" % (key, "; did you mean '%s'?" % close if close else ", expected some of %s" % ", ".join(self.known()))
        if not self.told.get("source"):
            yield "it has no source"
        options = self.options()
        if not options.get("name"):
            yield "it has no name"
        elif not options.get("version"):
            by_name = ", neither by that key nor at the end of its name, as in debian-12-20260515" if self.is_named else ""
            yield "it has no version" + by_name


def _images(told):
    if isinstance(told, Mapping):
        return [Image(key, entry, True) for key, entry in told.items()]
    names = [entry.get("name") if isinstance(entry, Mapping) else None for entry in told]
    return [Image(name or "number %d" % number, entry, False) for number, (name, entry) in enumerate(zip(names, told), 1)]


def faults(variables):
    """What is wrong with VARIABLES by their names, of which those that nobody has set are None, and with the images in them, a line for each."""
    unset, told = [name for name, value in variables.items() if value is None], variables["bhyve_images"]
    if unset:
        return [_MISSING % " and ".join(unset)]
    if not isinstance(told, (Mapping, list, tuple)):
        return [_NEITHER % ("text" if isinstance(told, str) else kind(told))]
    images, found = _images(told), []
    kept = {}
    for image in images:
        wrong = list(image.faults())
        name, first = image.options().get("name"), kept.get(image.options().get("name"), image)
        mine, other = ([one.told.get(key) for key in OF_PRUNING] for one in (image, first))
        if any(mine):
            kept.setdefault(name, image)
            if mine != other:
                wrong.append("it has another keep or keep_days than %s, which is an image of the same name: say the same in both" % first.key)
        if wrong:
            found.append("image %s in bhyve_images: %s" % (image.key, "; ".join(wrong)))
    return found


def options(told):
    """What the module is to be told of each image, and what tells it from others."""
    return [{"label": image.id(), "options": image.options()} for image in _images(told)]


def prunings(told):
    """For each name with a `keep`, what the module is to be told; what the dictionary names stays in any case."""
    images = _images(told)
    named = sorted({image.id() for image in images})
    names = {}
    for image in images:
        asked = image.options()
        if asked.get("keep"):
            names.setdefault(asked["name"], {key: asked[key] for key in ("name", *OF_PRUNING) if key in asked})
    return [{**asked, "keep_images": [one for one in named if one.startswith(name + "-")]} for name, asked in names.items()]
