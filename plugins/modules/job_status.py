# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: job_status
short_description: Ask after a task that was left to itself
version_added: 0.1.0
description:
  - Tells whether a task of this collection that was started with C(async) and C(poll=0) is done, and gives its reply.
  - It does for this collection what M(ansible.builtin.async_status) does for modules written in Python.
    The target needs no Python.
author:
  - The apiary.bhyve developers (!UNKNOWN)
options:
  jid:
    description: The C(ansible_job_id) that the task returned.
    type: str
    required: true
  mode:
    description:
      - V(status) asks how the job stands.
      - V(cleanup) forgets the job and its reply; a job that still works is ended.
    type: str
    choices: [status, cleanup]
    default: status
notes:
  - The job belongs to the user it runs as, so ask with the same C(become_user).
  - A job that nobody cleans up is forgotten a week after it ended, when a program is next sent to the host.
"""

EXAMPLES = r"""
- name: Start fetching a large image
  apiary.bhyve.bhyve_image:
    name: FreeBSD-14.2-RELEASE-ZFS-20G-20250515
    repository: ssh://images@repo.example.org
    pubkey: /usr/local/etc/apiary/images.pub
  async: 3600
  poll: 0
  register: fetch

- name: Wait until it is there
  apiary.bhyve.job_status:
    jid: "{{ fetch.ansible_job_id }}"
  register: image
  until: image.finished
  retries: 360
  delay: 10

- name: Forget the job
  apiary.bhyve.job_status:
    jid: "{{ fetch.ansible_job_id }}"
    mode: cleanup
"""

RETURN = r"""
ansible_job_id:
  description: The job asked after.
  returned: success
  type: str
started:
  description: Whether the job was started.
  returned: with O(mode=status)
  type: bool
finished:
  description: Whether the job is done. If it is, its whole reply is in this result.
  returned: with O(mode=status)
  type: bool
erased:
  description: The job that was forgotten.
  returned: with O(mode=cleanup)
  type: str
"""

from ansible_collections.apiary.bhyve.plugins.module_utils._documented import run  # noqa: E402


def main():
    run(DOCUMENTATION)


if __name__ == "__main__":
    main()
