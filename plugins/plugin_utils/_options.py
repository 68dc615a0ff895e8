# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges a task's arguments by the module's documentation and gives them their canonical form."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.parameters import remove_values
from ansible.module_utils.errors import RequiredByError, RequiredError, RequiredIfError, RequiredOneOfError, RequiredTogetherError, UnsupportedError
from ansible_collections.apiary.bhyve.plugins.module_utils._documented import argument_spec, load
from ansible_collections.apiary.bhyve.plugins.plugin_utils._words import called, kind, meant


# The option that holds the options of several guests by their names.
_GUESTS = "guests"


class Options:
    """The documented options of one module."""

    def __init__(self, module):
        """`module` is the imported plugins/modules/<name>.py; its RULES hold what DOCUMENTATION cannot say, its GUEST names the
        option that is the guest's name where several guests have none of it."""
        documentation = load(module.DOCUMENTATION)
        rules = dict(getattr(module, "RULES", {}))
        self.spec = _for_controller(argument_spec(documentation, no_log=rules.pop("no_log", ())))
        self.validator = ArgumentSpecValidator(self.spec, **rules)
        self.of_guest = _OfGuest(self.spec, rules, getattr(module, "GUEST", None)) if _GUESTS in self.spec else None
        # Documented as: attributes: progress: support: full.
        self.long = documentation.get("attributes", {}).get("progress", {}).get("support") == "full"

    def judge(self, args):
        """Returns the canonical arguments, the secret values among them, and what is wrong in one line, or nothing."""
        args = _opened(args)
        if self.of_guest and args.get(_GUESTS) is not None:
            return self.of_guest.judge_each(args)
        return _judged(self.spec, self.validator, args)

    @staticmethod
    def answer_for_nobody(options):
        """The reply where several guests may be asked for and none is; nothing else is asked then. None where there is something to do."""
        return {"changed": False, _GUESTS: {}, "timings": {"total": {"seconds": 0.0}}} if options == {_GUESTS: {}} else None


class _OfGuest:
    """The options that one of several guests may have: all but that of several guests."""

    def __init__(self, spec, rules, name):
        self.spec = {option: documented for option, documented in spec.items() if option != _GUESTS}
        self.validator = ArgumentSpecValidator(self.spec, **{rule: _without_guests(value) for rule, value in rules.items()})
        self.name = name

    def judge_each(self, args):
        """The same as for one guest, for each; what is said beside `guests` goes for all of them."""
        beside = {option: value for option, value in args.items() if option != _GUESTS}
        guests = args[_GUESTS]
        if not isinstance(guests, Mapping):
            return {}, set(), "'guests' must be a dictionary with the options of each guest by its name, found %s" % _found("dict", guests)
        options, secrets, wrong = {}, set(), []
        for guest, own in guests.items():
            if not isinstance(own or {}, Mapping):
                wrong.append("guest %s: its options must be a dictionary, found %s" % (guest, _found("dict", own)))
                continue
            named = {self.name: str(guest)} if self.name else {}
            options[str(guest)], own_secrets, own_wrong = _judged(self.spec, self.validator, {**named, **beside, **(own or {})})
            secrets |= set(own_secrets)
            wrong += ["guest %s: %s" % (guest, own_wrong)] if own_wrong else []
        return {_GUESTS: options}, secrets, "; ".join(wrong)


def _without_guests(rule):
    """A rule of AnsibleModule without the option of several guests."""
    if isinstance(rule, (list, tuple)):
        return [_without_guests(each) for each in rule if each != _GUESTS]
    return rule


def _judged(spec, validator, args):
    result = validator.validate(args)
    wrong = sorted(_unknown_option(spec, name) for name in result.unsupported_parameters)
    # What is missing then is most likely what was misspelt.
    wrong += _in_words([error for error in result.errors if not (wrong and isinstance(error, _MISSING))], args)
    secrets = result._no_log_values
    if wrong:
        return {}, secrets, remove_values("; ".join(wrong), secrets)
    return _canonical(spec, result.validated_parameters), secrets, ""


def _opened(value):
    """The value with vaulted text in it as text; before ansible-core 2.19 it comes as an object that a validator does not know."""
    if isinstance(value, Mapping):
        return {key: _opened(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_opened(each) for each in value]
    return str(value) if hasattr(value, "__ENCRYPTED__") else value


def _unknown_option(spec, name):
    """Names an unknown option (`outer.inner` for a suboption), and those it may have been meant for."""
    path = name if isinstance(name, tuple) else name.split(".")
    for outer in path[:-1]:
        spec = spec[outer]["options"]
    close = meant(path[-1], spec)
    hint = "did you mean %s?" % close if close else "expected one of %s" % ", ".join(sorted(spec))
    return "unknown option %s%s %s" % (".".join(path), ";" if close else ",", hint)


# What ansible-core says of a value that has not the type of its option, or of one of the values in its list; within which option that is.
_NO_SUCH_TYPE = re.compile(r"(?P<what>Elements value for option|argument) '?(?P<name>\w+)'?(?: | .* )(?:is )?of type .*"
                           r"unable to convert to (?P<type>\w+): .*", re.DOTALL)
_NO_DICT = re.compile(r"(?P<what>value) of '(?P<name>[^']*)' must be of type dict or list of dicts.*", re.DOTALL)
_WITHIN = re.compile(r" found in '([^']*)'")
_MISSING = (RequiredByError, RequiredError, RequiredIfError, RequiredOneOfError, RequiredTogetherError)
# It names no option; another message does.
_NAMELESS = "dictionary requested, could not parse JSON or key=value"


def _in_words(errors, args):
    """What ansible-core found wrong, each said once and without Python's names of types."""
    said = [_error_in_words(error.msg, args) for error in errors if not isinstance(error, UnsupportedError)]
    return list(dict.fromkeys(line for line in said if line != _NAMELESS or len(said) == 1))


def _error_in_words(message, args):
    found = _NO_SUCH_TYPE.fullmatch(message) or _NO_DICT.fullmatch(message)
    if not found:
        return message
    within = _WITHIN.search(message)
    path = [*(within[1].split(" -> ") if within else ()), found["name"]]
    value = args
    for key in path:
        # In a list of dictionaries it is not known which of them is meant.
        value = value.get(key) if isinstance(value, Mapping) else None
    wanted = found.groupdict().get("type") or "dict"
    if found["what"].startswith("Elements"):
        values = value if isinstance(value, (list, tuple)) else [value]
        shown = ", ".join(dict.fromkeys(_found(wanted, each) for each in values))
        return "option %s must be a list of which each is %s, found %s" % (".".join(path), called(wanted), shown)
    return "option %s must be %s%s" % (".".join(path), called(wanted), "" if value is None else ", found %s" % _found(wanted, value))


def _found(wanted, value):
    """What VALUE is. Text in place of a dictionary may hold what the dictionary would, a password among it."""
    return "text" if wanted == "dict" and isinstance(value, str) else kind(value)


def _for_controller(spec):
    """The same spec without `path`: a `~` means the target's home, so the controller must not expand it."""
    return {
        name: {
            key: _for_controller(value) if key == "options" else "str" if value == "path" and key in _TYPES else value
            for key, value in option.items()
        }
        for name, option in spec.items()
    }


_TYPES = ("type", "elements")


def _canonical(spec, values):
    """Every option that has a value, under its own name; suboptions likewise."""
    return {
        name: _canonical_value(option, values[name]) for name, option in spec.items() if values.get(name) is not None
    }


def _canonical_value(option, value):
    if "options" not in option:
        return value
    if isinstance(value, list):
        return [_canonical(option["options"], each) for each in value]
    return _canonical(option["options"], value)


def encode(args):
    """One line of JSON. YAML's dates become ISO 8601, whatever wrapper the controller's version puts around them."""
    return json.dumps(args, default=_encode_other).encode()


def _encode_other(value):
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
