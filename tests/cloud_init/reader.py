# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs with one version of cloud-init on its path: answers questions, one a line in JSON, with what cloud-init's own code does.

Nothing outside of a temporary folder is written, and no command is run: what cloud-init would run or write is the answer.
"""

from __future__ import annotations

import contextlib
import json
import pathlib
import sys
import tempfile
from unittest import mock

import yaml

# First: cloud-init's modules for the network import each other in a circle.
import cloudinit.distros  # noqa: F401 isort: skip
from cloudinit import handlers, ssh_util, subp, util, version
from cloudinit.config import cc_write_files
from cloudinit.distros import debian, rhel, ug_util
from cloudinit.net import eni, netplan, network_manager, network_state, networkd, sysconfig

# As the distributions that use them configure them.
RENDERERS = {
    "eni": lambda: eni.Renderer({"eni_path": "etc/network/interfaces"}),
    "netplan": lambda: netplan.Renderer({"netplan_path": "etc/netplan/50-cloud-init.yaml", "postcmds": False}),
    "networkd": lambda: networkd.Renderer({}),
    "sysconfig": lambda: sysconfig.Renderer(rhel.Distro.renderer_configs["sysconfig"]),
    "network-manager": lambda: network_manager.Renderer({}),
}


def render(renderer, config):
    """The files that `renderer` makes of a network-config, by their paths."""
    made = RENDERERS[renderer]()
    state = network_state.parse_net_config_data(yaml.safe_load(config), renderer=made)
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as patches:
        root = pathlib.Path(folder)
        for needed in ("etc/systemd/network", "etc/NetworkManager"):
            (root / needed).mkdir(parents=True)
        patches.enter_context(mock.patch.object(subp, "subp", return_value=("", "")))
        patches.enter_context(mock.patch.object(util, "chownbyname"))
        made.render_network_state(state, target=folder)
        return {"/" + str(path.relative_to(root)): path.read_text() for path in sorted(root.rglob("*")) if path.is_file()}


def configure(user_data, existing):
    """What is run and written for the users, rules and files of a cloud-config, where the image has the users `existing`."""
    config = yaml.safe_load(user_data)
    distro = debian.Distro("debian", {}, None)
    done = []

    def run(arguments, data=None, *_rest, **_options):
        done.append({"run": arguments, "input": data.decode() if isinstance(data, bytes) else data})
        return "", ""

    def write(path, content, *_rest, omode="wb", mode=0o644, **_options):
        text = content.decode() if isinstance(content, bytes) else content
        done.append({"write": str(path), "content": text, "append": omode.startswith("a"), "mode": mode})

    replaced = [
        (subp, "subp", {"side_effect": run}), (subp, "which", {"side_effect": lambda name, *_rest, **_options: "/bin/" + name}),
        (util, "is_user", {"side_effect": lambda name: name in existing}), (util, "is_group", {"return_value": True}),
        (util, "write_file", {"side_effect": write}), (util, "chownbyname", {}), (util, "chmod", {}),
        (util, "get_permissions", {"return_value": None}), (util, "system_is_snappy", {"return_value": False}),
        (ssh_util, "setup_user_keys", {"side_effect": lambda keys, name, **_options: done.append({"keys": sorted(keys), "of": name})}),
        (distro, "write_sudo_rules", {"side_effect": lambda name, rules, **_options: done.append({"sudo": rules, "of": name})}),
    ]
    with contextlib.ExitStack() as patches:
        for owner, name, what in replaced:
            patches.enter_context(mock.patch.object(owner, name, **what))
        users, _groups = ug_util.normalize_users_groups(config, distro)
        for name, options in users.items():
            distro.create_user(name, **options)
        cc_write_files.write_files("write-files", config.get("write_files"), "root:root")
    return done


def kind(user_data):
    """As what cloud-init takes user data that are no MIME message, or null."""
    return handlers.type_from_starts_with(user_data)


QUESTIONS = {"version": version.version_string, "render": render, "configure": configure, "kind": kind}

for line in sys.stdin:
    question = json.loads(line)
    try:
        answer = {"answer": QUESTIONS[question.pop("ask")](**question)}
    except Exception as error:  # whatever it is, the test that asked has to show it
        answer = {"error": repr(error)}
    print(json.dumps(answer), flush=True)
