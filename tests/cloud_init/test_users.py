# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The user data of seeds: what cloud-init runs and writes for them on Debian."""

from __future__ import annotations

import pytest

HASH = "$6$abcdefghijklmnop$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
KEY = "ssh-ed25519 AAAAC3NzExample admin"


def commands(done):
    return [step["run"] for step in done if "run" in step]


@pytest.mark.parametrize("existing", [True, False])
@pytest.mark.parametrize("name", ["root", "debian", "ada"])
def test_a_password_is_set_whether_the_image_has_the_user_or_not(cloud_init, seed, name, existing):
    made = seed(users=[{"name": name, "password_hash": HASH}])
    done = cloud_init.ask("configure", user_data=made.document("user-data"), existing=[name] if existing else [])
    passwords = [step for step in done if "run" in step and step["run"][0] == "chpasswd"]
    assert passwords == [{"run": ["chpasswd", "-e"], "input": f"{name}:{HASH}"}]
    others = commands(done)
    assert ("useradd" in [command[0] for command in others]) is not existing
    # Nothing locks it afterwards, and nothing unlocks what is not this one.
    assert ["passwd", "-l", name] not in others and ["usermod", "--lock", name] not in others
    first = others.index(["chpasswd", "-e"])
    assert all(command[:2] != ["passwd", "-u"] for command in others[:first])


def test_a_user_without_a_password_has_none(cloud_init, seed):
    made = seed(users=[{"name": "ada", "ssh_keys": [KEY], "sudo": ["ALL=(ALL) ALL"]}])
    done = cloud_init.ask("configure", user_data=made.document("user-data"), existing=["ada"])
    assert ["passwd", "-l", "ada"] in commands(done)
    assert {"keys": [KEY], "of": "ada"} in done and {"sudo": ["ALL=(ALL) ALL"], "of": "ada"} in done


def test_groups_and_shell_are_those_of_new_users(cloud_init, seed):
    made = seed(users=[{"name": "ada", "groups": ["adm", "sudo"], "shell": "/bin/bash"}])
    done = cloud_init.ask("configure", user_data=made.document("user-data"), existing=[])
    (useradd,) = [command for command in commands(done) if command[0] == "useradd"]
    assert useradd[useradd.index("--groups") + 1] == "adm,sudo" and useradd[useradd.index("--shell") + 1] == "/bin/bash"
    # Of one that is there, they are dropped: why they are refused of root, and told of the users that images have.
    done = cloud_init.ask("configure", user_data=made.document("user-data"), existing=["ada"])
    assert not [command for command in commands(done) if "adm,sudo" in command or "/bin/bash" in command]
    assert "`shell` of root" in seed(users=[{"name": "root", "shell": "/bin/bash"}]).reply["msg"]
    assert "the user debian already" in seed(users=[{"name": "debian", "shell": "/bin/bash"}]).warnings[0]


def test_rules_for_doas_are_written_by_every_version(cloud_init, seed):
    made = seed(users=[{"name": "web-1", "doas": ["permit nopass %u", "permit :wheel"]}, {"name": "ada", "doas": ["permit ada"]}])
    done = cloud_init.ask("configure", user_data=made.document("user-data"), existing=[])
    written = [step for step in done if step.get("write") == "/etc/doas.conf"]
    assert written == [
        {"write": "/etc/doas.conf", "content": "\npermit nopass web-1\npermit :wheel\npermit ada\n", "append": True, "mode": 0o440},
    ]


@pytest.mark.parametrize("user_data", [
    "#!/bin/sh\necho hi\n", "#cloud-config\nusers: []\n", "#include\nhttp://192.0.2.1/a\n", "#cloud-boothook\ntrue\n",
    "## template: jinja\n#cloud-config\na: b\n", "#cloud-config-archive\n- a\n", "#part-handler\na\n",
    "users: []\nruncmd: []\n", "# cloud-config\nusers: []\n", "#clod-config\nusers: []\n", "echo hi\necho ho\n",
])
def test_raw_user_data_is_taken_if_cloud_init_knows_it(cloud_init, seed, user_data):
    known = cloud_init.ask("kind", user_data=user_data) is not None
    made = seed(user_data=user_data)
    assert bool(made.reply.get("failed")) is not known, made.reply
    if known:
        assert made.document("user-data") == user_data
    else:
        assert "cloud-init takes no `user_data` whose first line is" in made.reply["msg"]
