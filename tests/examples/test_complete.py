# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No example is forgotten: each has been run by the tests before, or is listed here with the reason why it cannot be."""

from __future__ import annotations

import collections
import re

from controller import Controller
from documented import TEXTS, all_examples, blocks

NOT_RUN = {
    ("docs/docsite/rst/guide_publishing.rst", "# group_vars/bhyve_repository.yml"):
        "there is no such vendor; tests/unit/playbooks/test_images.py has the playbook read dictionaries like this one",
    ("docs/docsite/rst/guide_catalogue.rst", "bhyve_catalog: [ssh://images@near.example.org, https://repo.example.org/images]"):
        "one server is enough for the other examples; the programs' own tests have mirrors that fail (mirrors.rs)",
    **{
        (page, name): "tests/unit/playbooks/test_images.py plays the playbooks that it is of"
        for page, name in {
            "image_faults": "See what is wrong", "image_options": "See what is published", "image_prunings": "See what is pruned",
        }.items()
    },
    ("repository_faults", "See what is wrong with a repository"): "tests/unit/playbooks/test_mistakes.py plays the role that it is of",
    ("bhyve_catalog", "Publish what a vendor hands out, as his signed list has it"):
        "there is no such vendor; the programs' own tests have a server and a key of theirs (fetched.rs)",
    ("docs/docsite/rst/guide_numbers.rst", "# group_vars/site_berlin.yml"):
        "one variable, as the guide of the first deploy has it; tests/integration/image_repository.sh has a mirror",
    ("docs/docsite/rst/guide_numbers.rst", "# execution-environment.yml"): "ansible-builder needs containers, and a registry of them",
    ("README.md", "make demo"): "the suite demo does",
    ("README.md", "make test"): "it would run itself",
    **{
        ("docs/docsite/rst/guide_licences.rst", command): "tests/runner/test_source.py reads what is installed so, tests/release builds it"
        for command in (
            "ansible-galaxy collection install without-programs/apiary-bhyve-VERSION.tar.gz",
            "cd ~/.ansible/collections/ansible_collections/apiary/bhyve", "make build",
        )
    },
    ("table", "Show the guests, and fail where one has failed"): "the role guest does; tests/unit and tests/lab play it",
    ("whole_play", "Show whom the playbook is for"): "every playbook does; tests/unit plays it with tags",
    ("docs/docsite/rst/guide_catalogue.rst", "- hosts: hypervisors"):
        "the beginning of a play; tests/unit plays it with each module of the group",
    ("roles/guest/README.md", "bhyve_guests:"):
        "its template is bhyve's; test_deploy.py has the fleet checked with it, tests/lab has the template judged by libvirt",
    ("roles/guest/README.md", "# a guest with two interfaces"):
        "its template is bhyve's; test_deploy.py has the fleet checked with it, tests/bhyve has libvirt's driver translate such a domain",
    **{
        (page, name): "tests/lab/test_rename.py plays what it is of"
        for page, names in {
            "renaming_failures": ["Tell whether the guest was renamed"],
            "renaming_options": ["Stop the guest that is renamed"],
            "renaming_problems": ["Look whether the call fits the dictionary"],
            "renaming_table": ["Show the guest that was renamed"],
            "zfs_swap": ["The guest has another name"],
            "docs/docsite/rst/guide_second_day.rst": ["ansible-playbook -i inventory apiary.bhyve.rename -e guest_names=web1 -e guest_new_name=www1"],
            "playbooks/rename.yml": ["ansible-playbook -i INVENTORY apiary.bhyve.rename -e guest_names=web1 -e guest_new_name=www1"],
        }.items() for name in names
    },
    **{
        (page, name): "tests/lab/test_capture.py plays what it is of"
        for page, names in {
            "capture_catalogue": ["Show where images are published"],
            "capture_failures": ["Show what has failed"],
            "capture_options": ["Show what is published"],
            "capture_table": ["Show the image"],
            "docs/docsite/rst/guide_second_day.rst": [
                "ansible-playbook -i inventory apiary.bhyve.capture -e guest_names=web1 -e guest_capture_image=web-base-20261129",
            ],
            "playbooks/capture.yml": ["ansible-playbook -i INVENTORY apiary.bhyve.capture -e guest_names=web1 -e guest_capture_image=web-base-20261129"],
        }.items() for name in names
    },
    **{
        (page, name): "tests/lab/test_redeploy.py and test_prune.py play what they are of"
        for page, names in {
            "guests_of_inventory": ["Show all guests"],
            "pruning_failures": ["Tell what could not be removed"],
            "pruning_options": ["Remove volumes"],
            "pruning_table": ["Show what goes and what stays"],
            "pruning_unknown": ["Show names that nothing has"],
            "redeployment_failures": ["Tell which guests have failed"],
            "redeployment_options": ["Stop the guests"],
            "redeployment_table": ["Show the guests"],
            "unknown_to_all": ["Show names that nothing has on any host"],
            "zfs_receive_info": ["Look which volumes there are", "Show those that are kept, and until when"],
            "zfs_swap": [
                "Make the new volume ready while the guest runs", "Exchange it for the present one while the guest is off",
                "The guest has been started", "Bring the volume before back",
            ],
            "docs/docsite/rst/guide_first_deploy.rst": [
                "ansible-playbook -i inventory apiary.bhyve.redeploy -e guest_names=web1",
                "ansible-playbook -i inventory apiary.bhyve.redeploy -e guest_names=web1 -e guest_redeploy_back=true",
                "ansible-playbook -i inventory apiary.bhyve.prune",
            ],
            "playbooks/prune.yml": ["ansible-playbook -i INVENTORY apiary.bhyve.prune"],
            "playbooks/redeploy.yml": ["ansible-playbook -i INVENTORY apiary.bhyve.redeploy -e guest_names=web1,web2"],
        }.items() for name in names
    },
    **{
        (page, name): "it takes two hosts: tests/lab/test_move.py plays what they are of"
        for page, names in {
            "guests_to_move": ["Show what could be moved"],
            "moving_failures": ["Tell which guests have failed"],
            "moving_options": ["Shut the guests down where they are"],
            "moving_place": ["Show where the guests of hv1 have their disks"],
            "moving_sources": ["Show where guests come from"],
            "moving_table": ["Show the guests"],
            "volume_move": [
                "Bring most of it while the guest runs on hv1", "Shut the guest down there", "Bring the rest",
                "Take it away from hv1, when the guest runs here",
            ],
            "docs/docsite/rst/guide_second_day.rst": ["ansible-playbook -i inventory apiary.bhyve.move -e guest_names=web1"],
            "playbooks/move.yml": ["ansible-playbook -i INVENTORY apiary.bhyve.move -e guest_names=web1,web2"],
        }.items() for name in names
    },
    ("roles/hypervisor/README.md", "# group_vars/bhyve_hypervisors.yml"):
        "the role makes bridges on FreeBSD only; tests/lab plays the same with FreeBSD's files",
    ("roles/hypervisor/README.md", 'ifconfig_em0="up"'): "lines of FreeBSD's rc.conf",
    ("roles/hypervisor/README.md", 'ifconfig_bridge0_alias0="inet 192.0.2.2/24"'): "lines of FreeBSD's rc.conf",
}


def test_names_are_unique():
    texts = collections.defaultdict(set)
    for page, name, text in all_examples():
        texts[page, name].add(text)
    assert {key for key, found in texts.items() if len(found) > 1} == set()


def test_no_block_is_overlooked():
    """Every block begins in a form that is read; a paragraph that ends in two colons would begin another."""
    for path in TEXTS:
        text = path.read_text()
        begun = len(re.findall(r"^ *\.\. code|^ *```", text, re.M)) // (1 if path.suffix == ".rst" else 2)
        assert begun == len(list(blocks(text))) and not re.search(r"^(?!\s*\.\. ).*::$", text, re.M), path


def test_every_example_is_run_or_listed(examples):
    assert examples.run | set(NOT_RUN) == set(examples)


def test_what_was_handed_out_has_run(examples):
    """Every task and command; what is said in a file of variables is seen in what the tests expect."""
    by_name = {key for key in examples.run if examples[key].startswith(("- name: ", "ansible-"))}
    assert len(by_name) > 50
    names = {key: key[1].removeprefix("- name: ") for key in by_name}
    assert {key for key, name in names.items() if name not in Controller.ran} == set()


def test_what_is_listed_is_not_run(examples):
    assert examples.run & set(NOT_RUN) == set()
