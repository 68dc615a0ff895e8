# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: table
short_description: Show lines as they are
version_added: 0.2.0
description:
  - Shows the tables of the roles and playbooks of this collection as tables, whatever form results are shown in; C(ansible.builtin.debug) shows a list
    of texts in quotes, or one text with C(\n) in it.
  - It runs on the controller and asks nothing of the host.
  - With a callback for standard output other than C(ansible.builtin.default), which may be one for programs, nothing is shown beside the results.
author:
  - The apiary.bhyve developers (!UNKNOWN)
options:
  lines:
    description: What is shown; where there are none, nothing is.
    type: list
    elements: str
    required: true
  failures:
    description: Why this has not gone well; where there are any, the task fails with them.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Show the guests, and fail where one has failed
  apiary.bhyve.table:
    lines: "{{ guest_deployment | apiary.bhyve.deployment_table }}"
    failures: "{{ guest_deployment | apiary.bhyve.deployment_failures }}"
"""

RETURN = r"""
msg:
  description: The lines, or what was said to have failed.
  returned: always
  type: list
  elements: str
lines:
  description: The lines.
  returned: success
  type: list
  elements: str
"""

from ansible_collections.apiary.bhyve.plugins.module_utils._documented import run  # noqa: E402


def main():
    run(DOCUMENTATION)


if __name__ == "__main__":
    main()
