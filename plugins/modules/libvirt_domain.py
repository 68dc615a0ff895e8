# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: libvirt_domain
short_description: Define, start, stop and remove libvirt domains, and wait until a guest answers
version_added: 0.1.0
description:
  - Makes a domain what its XML and O(state) say, on bhyve, qemu and any other driver of libvirt.
  - The XML that was given is kept in the domain's own metadata, together with what libvirt made of it. The same XML again
    changes nothing, whatever libvirt has added to it. Comments, indentation and the order of attributes make no difference.
  - What was edited by hand since (C(virsh edit), C(virsh setmem --config)) is noticed, shown by C(--diff) and undone.
  - That does not go for disks. Where an external snapshot (C(virsh snapshot-create-as --disk-only)), a block copy or an edit has put a
    disk elsewhere since, what the guest wrote after that is only there. A definition that would put it back is refused. Merge the overlay
    (C(virsh blockcommit --active --pivot)), delete the snapshot, or give the disk's new source in O(xml).
  - The UUID of a domain that exists is kept. A domain that is new, and whose XML gives no UUID or no MAC address, gets those
    that follow from its name, so that a guest that is deployed again keeps them. MAC addresses are C(52:54:00:...) on qemu
    and C(58:9c:fc:20:...) to C(58:9c:fc:ff:...) on bhyve, above the range that FreeBSD's kernel draws from.
  - Refused before anything is touched are XML that is not well-formed, is larger than 256 KiB, has a document type, or
    defines another domain than O(name); a UUID or MAC address that another domain of the host has; more memory than
    the host has; and, on the hypervisor's own machine, disks and bridges that do not exist. Missing disks and bridges are a
    warning in check mode, because the task that makes them may have been left undone, too.
  - On bhyve, libvirt leaves parts of a definition out of bhyve's arguments without a word. A disk that is C(readonly) and would not be
    is refused; C(nvram) before libvirt 11.7, C(uuid), and C(on_reboot) and its like before 12.5 are told as warnings when the domain is
    defined.
  - On bhyve, libvirt does not show what is edited by hand while a guest runs. Such an edit is seen, and undone, when the guest has been
    stopped and libvirt's daemon restarted; until then what this module gives next replaces it unseen.
author:
  - The apiary.bhyve developers (!UNKNOWN)
requirements:
  - libvirt on the host with the driver for its hypervisor (tested with 11.3); no Python, no libvirt bindings
attributes:
  check_mode:
    description: Says what would change without changing anything. On bhyve, RV(bhyve_commands) proves it.
    support: full
  diff_mode:
    description: Shows state, autostart and the definition in the words of the XML that was given. Passwords are hidden.
    support: full
options:
  name:
    description: Name of the domain. Must be the one in O(xml). One of O(name) and O(guests) is required.
    type: str
  guests:
    description:
      - Several guests in one call, which costs what one costs. The options of each by its name; those beside O(guests) go for all of
        them.
      - A guest whose options have no O(name) has its own name. Guests are started, stopped and waited for side by side.
      - What goes wrong with one guest is its own affair. The others are done, and the task fails at the end. See RV(guests).
    type: dict
  uri:
    description:
      - Where the hypervisor is.
      - The default is V(bhyve:///system) on FreeBSD and V(qemu:///system) elsewhere.
    type: str
  xml:
    description:
      - The definition of the domain, mostly from a template.
      - Without it a domain that exists is only started, stopped or removed.
      - Not looked at with O(state=absent).
    type: str
  identity:
    description:
      - The name from which the UUID and the MAC addresses of a new domain follow, where that is not O(name). It is for a guest that had
        another name when it was made.
    type: str
  renamed_from:
    description:
      - The name that the domain had. Where it still has it, that definition goes and O(xml) comes in its place, with its UUID, its MAC
        addresses, the variables of its firmware, and whether and when it starts with the host. The domain must be off.
      - What only the definition before knew is noted below C(/var/db/apiary/renames) in between (for another user than root, below
        C(~/.local/state/apiary.bhyve)), so that a run that was cut is finished by the same task.
      - One that runs, whose memory was saved, or that has snapshots or checkpoints of libvirt's is refused. In check mode one may run, as
        the task that stops it has been left undone, too.
      - Where no domain has that name any more, it says nothing. Needs O(xml).
    type: str
  state:
    description:
      - V(running) defines and starts it; a paused guest goes on, a sleeping one is woken. Where an I/O error, its watchdog or
        something unknown had paused it, a warning says so, and the task fails where it is paused again at once. One that libvirt has paused for a job of its
        own, such as a migration, is refused. One that has crashed and was kept (C(on_crash) V(preserve)) is refused unless
        O(force=true), which powers it off and starts it anew.
      - A guest whose memory was saved (C(virsh managedsave)) goes on from there, and so with what was defined then. See O(restart).
      - V(shutoff) defines it and shuts it down. See O(shutdown_timeout). Saved memory is kept, and a warning tells where it is that of
        another definition.
      - V(present) defines it and leaves alone whether it runs.
      - V(absent) removes its definition with everything libvirt keeps for it (metadata, NVRAM, saved memory). A domain that
        runs is refused unless O(force=true), and so is one with snapshots or checkpoints, whose descriptions go with it.
        Disks are left alone, with what snapshots hold in them.
    type: str
    choices: [running, shutoff, present, absent]
    default: running
  autostart:
    description:
      - Whether the domain starts with the host. Left alone where it is not given, O(order) and O(delay) included.
      - libvirt starts all domains that it is told to at once, in no order. Where O(order) or O(delay) is given, it is not told to, and
        C(virsh dominfo) shows none; the boot script of the role P(apiary.bhyve.hypervisor#role) starts the guest in its
        turn.
    type: bool
  order:
    description:
      - With O(autostart=true), when the guest's turn is to start with the host. Lower ones are started first, those of one order by
        name, and those that have O(delay) only come last. Guests that have neither are started before all these, by libvirt itself.
      - When the host goes down, guests with a turn are shut down in reverse, those of one order together.
      - Kept in the domain's metadata, where it survives a new definition. It says nothing of the starts of this module, which go side
        by side, and a change of it does not restart a guest.
      - On the hypervisor's own machine the boot script has to be there (C(/usr/local/libexec/apiary-guests)); else the task fails, or
        warns in check mode, because nobody would start the guest. On another machine this cannot be looked at.
      - 0 to 9999.
    type: int
  delay:
    description:
      - With O(autostart=true), how many seconds the guests behind this one in O(order) wait after it was started with the host.
      - 0 to 86400.
    type: int
  restart:
    description:
      - Whether a running guest is restarted when it does not run what is defined, be it from this task or an earlier one, or by hand.
      - A guest whose memory was saved with another definition goes on from there first, is shut down, and then boots what is defined,
        because what it has not written to its disks is in that memory only. With O(force=true) and O(shutdown_timeout=0) the
        memory is thrown away instead.
      - With O(state=present), a guest that stands still (paused, sleeping, crashed) is restarted with O(force=true) only.
      - With V(never) the reply says RV(domain.restart_required).
      - With V(always) a running guest is restarted by every task that says so, and runs what is defined afterwards. One that is off is
        started with O(state=running), and stays off with O(state=present).
    type: str
    choices: [never, if_changed, always]
    default: never
  wait_for:
    description:
      - What a guest shall have done before the task ends. Everything that is given has to come.
      - Waiting does not count as a change. Used with O(state=running) only.
    type: dict
    suboptions:
      console:
        description:
          - Text that the guest writes on its first console.
          - Read from the console's log file, where the XML has one (C(<log file='...'/>)), so that text from before the
            task counts as well, but not that of an earlier start. Otherwise the console is opened before the guest starts,
            on bhyve the null-modem device (nothing else there can be read, and only on the host itself), elsewhere libvirt's stream.
          - Once it has come it is not waited for again until the guest is started anew.
          - A console without a log keeps no history. There the text is waited for only by the task that starts the guest. A
            later one, also after a task that was interrupted, warns and goes on, because the text may have come already.
            The same holds for a log with C(append='on') when the guest was not started by this module.
        type: str
      host:
        description: Address of O(wait_for.port), as seen from the hypervisor.
        type: str
      port:
        description: TCP port that accepts a connection. Needs O(wait_for.host).
        type: int
      agent:
        description: Whether the QEMU guest agent shall answer. On bhyve this needs libvirt 12.4.
        type: bool
        default: false
      timeout:
        description:
          - Seconds that all of it may take together.
          - When it is over, the task fails with the last lines of the console. When the guest stops before, it fails at once, and
            its message also says why the guest stopped, as far as libvirt knows, and ends with the last lines of the log that
            libvirt keeps for the domain on the hypervisor (C(/var/log/libvirt/qemu/NAME.log), C(/var/log/libvirt/bhyve/NAME.log)).
        type: float
        default: 120
  force:
    description:
      - Powers a guest off that has not shut down within O(shutdown_timeout), or at once where it cannot hear its power button
        because it is paused, sleeps or has crashed. Without it, shutting such a guest down is refused at once.
      - Removes a domain that runs, after it has been stopped in the same way, and one that has snapshots or checkpoints. A warning
        names them.
    type: bool
    default: false
  shutdown_timeout:
    description:
      - Seconds that a guest may take to shut down after its power button was pressed.
      - With V(0) and O(force=true) it is powered off at once.
    type: float
    default: 60
  answer_timeout:
    description:
      - Seconds that libvirt may take for one answer. When they are over, the task fails, because libvirt's daemon hangs.
      - Starting a guest is one answer, too; one that fills huge pages or reads its saved memory takes its time.
    type: float
    default: 300
notes:
  - A race with somebody else who starts, stops or removes the same domain is not an error, as long as the result is the same.
  - What a guest wrote is shown without control characters, at most twelve lines of it. The log of its hypervisor is shown without
    the command line, which may hold passwords. It is read on the hypervisor's own machine only, where O(uri) names no socket
    outside of C(/run/libvirt).
seealso:
  - module: apiary.bhyve.libvirt_domain_info
  - module: community.libvirt.virt
"""

EXAMPLES = r"""
- name: Define and start a guest from a template, and wait until it can be logged in to
  apiary.bhyve.libvirt_domain:
    name: web1
    xml: "{{ lookup('ansible.builtin.template', 'web1.xml.j2') }}"
    autostart: true
    wait_for:
      console: "login:"
      timeout: 90

- name: Give it a new definition, and restart it if it does not run that
  apiary.bhyve.libvirt_domain:
    name: web1
    xml: "{{ lookup('ansible.builtin.template', 'web1.xml.j2') }}"
    restart: if_changed
    wait_for:
      host: 192.0.2.11
      port: 22

- name: Restart a guest, whatever it runs
  apiary.bhyve.libvirt_domain:
    name: web1
    restart: always

- name: Shut a guest down, and power it off when it has not obeyed after two minutes
  apiary.bhyve.libvirt_domain:
    name: web1
    state: shutoff
    shutdown_timeout: 120
    force: true

- name: Define and start several guests side by side, and wait for all of them
  apiary.bhyve.libvirt_domain:
    guests:
      web1:
        xml: "{{ lookup('ansible.builtin.template', 'web1.xml.j2') }}"
      web2:
        xml: "{{ lookup('ansible.builtin.template', 'web2.xml.j2') }}"
        autostart: false
    autostart: true
    wait_for:
      console: "login:"

- name: Have the host start the database first, and the others half a minute later
  apiary.bhyve.libvirt_domain:
    guests:
      db1: {order: 10, delay: 30}
      web1: {order: 20}
      web2: {order: 20}
    state: present
    autostart: true

- name: Remove a domain, running or not; its disks stay
  apiary.bhyve.libvirt_domain:
    name: web1
    state: absent
    force: true
"""

RETURN = r"""
domain:
  description: The domain as it is afterwards, or would be in check mode.
  returned: success
  type: dict
  contains:
    name:
      description: Its name.
      type: str
      sample: web1
    uuid:
      description: Its UUID; null where the domain does not exist.
      type: str
      sample: 06f7ab89-0554-5e2c-9836-192821f92039
    state:
      description: One of C(running), C(paused), C(suspended), C(stopping), C(crashed), C(shutoff) and C(absent).
      type: str
      sample: running
    autostart:
      description: Whether it starts with the host, by libvirt's own mark or in its turn.
      type: bool
    order:
      description: Its O(order) where it has one, else null.
      type: int
      sample: 10
    delay:
      description: Its O(delay) where it starts with the host in its turn, else null.
      type: int
      sample: 30
    started:
      description: Whether this task started it, or would.
      type: bool
    restart_required:
      description: Whether it runs something else than what is defined, until it does, also where it went on from saved memory.
      type: bool
bhyve_commands:
  description: The command lines that libvirt's bhyve driver runs for the definition. Passwords are hidden.
  returned: when a domain is defined on bhyve
  type: str
guests:
  description:
    - What became of each guest, by its name; the keys are those that one guest alone is answered with, C(changed), C(failed) and
      C(msg) among them. Differences and warnings are the whole task's, with the guest's name in front.
  returned: with O(guests)
  type: dict
timings:
  description: Seconds per phase (C(connect), C(observe), C(define), C(stop), C(start), C(wait), ...) and in total.
  returned: always
  type: dict
  sample: {"connect": {"seconds": 0.013}, "observe": {"seconds": 0.002}, "total": {"seconds": 0.016}}
"""

from ansible_collections.apiary.bhyve.plugins.module_utils._documented import run  # noqa: E402

# What the documentation has no words for.
RULES = {
    "required_one_of": [["name", "guests"]],
    "mutually_exclusive": [["name", "guests"]],
}
# The option that is a guest's name where several guests have none of it.
GUEST = "name"


def main():
    run(DOCUMENTATION, **RULES)


if __name__ == "__main__":
    main()
