# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ntpd_check
short_description: Is this clock right, and if not, why
version_added: 0.1.0
description:
  - Asks OpenNTPD with C(ntpctl -s all), chrony with C(chronyc), ntpd and ntpsec with C(ntpq), ntpd-rs with C(ntp-ctl), or systemd-timesyncd with
    C(timedatectl), and says in one word whether the clock can be trusted, with the reasons in plain words.
  - OpenNTPD adjusts only when every valid peer has fresh data, and a peer whose replies are invalid (a leap indicator of 3, a kiss of death, a
    closed port up to version 6.7) stays valid. One such peer stops the daemon for good while it goes on to say C(synced). This module names
    that peer from a single look, before the clock is off.
  - Changes nothing on the host unless O(repair=true). Between runs it remembers in O(state_file) what it saw.
  - The same program is a monitoring check. C(ntpd_check --nagios), C(--json), C(--prometheus FILE) and C(--from FILE) take the options as
    flags, O(offset_warning) as C(--offset-warning) and so on, and the flags C(-w), C(-c), C(-t), C(-H), C(-V) and C(-h) that plugins have.
  - The target needs no Python.
author:
  - The apiary.bhyve developers (!UNKNOWN)
attributes:
  check_mode:
    description: Says whether the daemon would be restarted. Nothing is remembered.
    support: full
  diff_mode:
    description: Shows that the daemon is, or would be, restarted, and why.
    support: full
options:
  daemon:
    description:
      - Which daemon to ask. V(auto) is the one that runs, else the one that is installed, OpenNTPD before chrony before ntpd.
      - V(ntp) is the C(ntpd) of the reference implementation, as in FreeBSD's base system, or ntpsec, asked with C(ntpq).
      - V(ntpd_rs) is ntpd-rs, asked with C(ntp-ctl status). It must have C(observation-path) in its C(ntp.toml), as packages set it. It does not tell which
        sources it discards, so that its rule is applied here, and shows nothing of a server that has lost its time, which O(probe) does.
      - V(timesyncd) is systemd's client, asked with C(timedatectl) where it runs. It has one server at a time, so O(min_peers=1) is what it can do.
    type: str
    choices: [auto, openntpd, chrony, ntp, ntpd_rs, timesyncd]
    default: auto
  from_file:
    description:
      - Judge this file on the target, a saved or pasted output of C(ntpctl -s all), instead of asking a daemon.
      - It is taken as people have it, from a terminal, a mail, a tracker or a log, indented, quoted, wrapped, with no-break spaces, banners and
        prompts, with names lost. Lines that are not understood are listed in RV(notes). A peer that has lost its name is called C(row 4).
      - Half a report shows what is wrong in it, but is never called good. Where nothing is wrong in that half, the verdict is V(incomplete).
      - Of several reports of one host the last one counts. Those of several hosts are refused.
    type: path
  time_limit:
    description:
      - Seconds that C(ntpctl) or C(chronyc) may take. A stopped daemon lets C(ntpctl) wait for ever.
    type: float
    default: 5
  offset_warning:
    description:
      - Clock error in seconds from which the check warns, at most O(offset_critical).
      - Servers over the internet agree within some 20 ms, and OpenNTPD itself lengthens its polls while it is less than 50 ms off.
    type: float
    default: 0.05
  offset_critical:
    description:
      - Clock error in seconds from which the check is critical. Five times the warning, half of what timestamps of whole seconds show, and far below
        the second that a missed leap second leaves.
      - From a day before a leap second to an hour after it 1.1 s are allowed, for servers that smear it differ by that much.
    type: float
    default: 0.25
  expected_offset:
    description:
      - By how many seconds the servers are meant to differ from this clock, as they do where they smear leap seconds and this host does not. Figures in
        RV(clock) are what is left beyond it.
    type: float
    default: 0
  min_peers:
    description:
      - Fewest valid peers that are enough. With three, one liar is outvoted. RFC 8633 recommends to configure four.
    type: int
    default: 3
  max_stratum:
    description:
      - Highest stratum of the daemon that is believable. Public chains end at 4 or 5. 10 and more are set by hand for isolated networks.
    type: int
    default: 9
  start_grace:
    description:
      - Seconds after a start of the daemon in which the verdict is V(starting). OpenNTPD needs 3 to 6 minutes to its first adjustment.
        What O(probe) measures counts in them, too, and makes it a warning or critical.
    type: float
    default: 900
  blocked_critical:
    description:
      - Seconds after which a blocked daemon is critical, and may be restarted, even while the clock is right. A sound clock drifts less than 50 ms in
        that time, and a server that was wrong for a moment is asked again after 50 to 55 minutes.
    type: float
    default: 7200
  slew_rate:
    description:
      - How fast the kernel slews, in parts per million, above 0. By default it is 500 on Linux and FreeBSD (5000 there while more than a second is left)
        and 5000 on OpenBSD.
    type: float
  drift_limit:
    description:
      - Frequency correction in parts per million that no sound clock needs. Crystals stay below 100. 500 is what most kernels can correct.
    type: float
    default: 500
  drift_file:
    description: The daemon's drift file, where it is not in one of the usual places.
    type: path
  leap_file:
    description:
      - A C(leap-seconds.list). By default the ones of tzdata, FreeBSD and the ntp packages are looked for. Its own hash is checked. An expired one is
        used, and said to be expired. Of several lists the one counts that expires last.
    type: path
  log_file:
    description:
      - Where the daemon's words are logged, where it is not one of the usual files of syslog or the journal. Read only where something is wrong, for
        what explains it, such as V(not synced (alarm\)) or V(adjtime failed). See RV(reasons).
    type: path
  config_file:
    description:
      - The daemon's configuration, where it is not in one of the usual places. Read for C(listen on), and by the daemon itself before a restart.
    type: path
  state_file:
    description:
      - What the check remembers between runs. By default C(/var/db/ntpd_check/state.json) on BSD and C(/var/lib/ntpd_check/state.json) elsewhere.
      - Without it, what takes two looks is not seen (a clock that does not move, a row that is frozen), and O(repair) refuses.
      - Only time that was watched counts, with looks at most half an hour apart, by a clock that nobody sets. After a suspend, a pause of the machine or a
        step of the clock nothing is frozen. What lies in the future is dropped.
      - That somebody has set the clock, and by how much, is told on Linux. Elsewhere a step of more than five seconds ends what was watched, without a word.
    type: path
  probe:
    description:
      - Ask every peer directly with an SNTP client of our own, which explains why a peer blocks, and confirms or refutes what C(ntpctl) shows.
      - Where probes agree, and they are more than half of the valid peers, their offset counts. OpenNTPD 7.9 on Linux shows wild offsets for minutes
        while it slews. Servers that follow one source have one vote, and so has an address with several names.
      - Where probes and the daemon's own figures contradict each other by more than O(offset_warning), as a whole or about one server, the verdict is never
        V(ok). That goes for the other daemons, too.
    type: bool
    default: false
  probe_timeout:
    description: Seconds to wait for one answer.
    type: float
    default: 1
  candidates:
    description:
      - Servers to sample and rank, V(HOST) or V(HOST:PORT). See RV(candidates) and RV(servers). The host's own clock is judged as always.
      - Every address of a name is sampled, and a name is as good as the worst of them. A single alarm, kiss of death, stratum of 16 or negative delay
        refuses it. The same server twice, by name or by address, is one.
    type: list
    elements: str
    default: []
  samples:
    description: Queries for each candidate.
    type: int
    default: 5
  sample_interval:
    description: Seconds between two queries for one server. Public servers send a kiss of death to those who ask more often than every 2 s.
    type: float
    default: 2
  repair:
    description:
      - Restart OpenNTPD when the verdict is V(blocked) or V(stuck) and every guard rail holds. At least three servers agree; at least two answer a direct
        probe and do not contradict each other or the daemon's table; not all sources have lost their time; the clock is off by more than O(offset_warning),
        or the daemon was watched being blocked for O(blocked_critical); what takes several looks to be seen was watched for a quarter of an hour more; the
        daemon has run for an hour and is not slewing; nobody else sets the clock, which is less far off than a day of slewing; the daemon itself accepts
        its configuration (C(ntpd -n)); no leap second is less than an hour away; and the limits of O(repair_interval) and O(repair_daily) are kept.
      - What the service's tool says is not believed. The engine's process and its age are compared before and after. A restart that changed nothing is told
        in RV(notes), and does not count.
      - A restart unblocks the daemon, it does not cure it. Remove the peer that is named from C(ntpd.conf).
    type: bool
    default: false
  repair_interval:
    description:
      - Least seconds between two restarts. Doubled for each one in a row that did not help. Six hours let a second of error be slewed away and four
        queries of the bad peer pass.
    type: float
    default: 21600
  repair_daily:
    description: Most restarts in 24 hours.
    type: int
    default: 2
  service:
    description: Name of the daemon's service. By default V(ntpd) on OpenBSD and V(openntpd) elsewhere.
    type: str
  fail_on:
    description:
      - From which severity on the task fails. V(unknown) is critical, or that nothing could be judged. V(warning) is everything that is not ok.
    type: str
    choices: [never, warning, critical, unknown]
    default: never
notes:
  - Programs are shipped for Linux and FreeBSD, none for OpenBSD. A saved C(ntpctl -s all) of an OpenBSD host can be judged elsewhere with
    O(from_file).
  - OpenNTPD's socket belongs to root, and membership in the daemon's group does not help. Use C(become).
  - Most of what can be wrong shows in one look. What has to be seen over time, a clock that does not move or a row that is frozen, takes looks that
    are close together. Run it every five minutes.
seealso:
  - name: RFC 8633
    description: Network Time Protocol Best Current Practices
    link: https://www.rfc-editor.org/rfc/rfc8633
"""

EXAMPLES = r"""
- name: Look at the clock
  apiary.bhyve.ntpd_check:
  become: true
  register: clock

- name: Stop a rollout where the clock is wrong
  apiary.bhyve.ntpd_check:
    probe: true
    fail_on: critical
  become: true

- name: Restart a blocked daemon, within limits
  apiary.bhyve.ntpd_check:
    repair: true
  become: true

- name: Choose time servers
  apiary.bhyve.ntpd_check:
    candidates:
      - ntp1.example.org
      - ntp2.example.org
      - ntp3.example.org
      - time.example.net
      - time.example.com
  become: true
  register: vetted

- name: Show the good ones, best first
  ansible.builtin.debug:
    var: vetted.servers

- name: Judge what a colleague has sent
  apiary.bhyve.ntpd_check:
    from_file: /tmp/ntpctl.txt
"""

RETURN = r"""
verdict:
  description:
    - What is the matter, the one that explains most first. V(ok), V(starting), V(slewing), V(blocked), V(stuck), V(no_majority), V(discordant), V(offset),
      V(contested), V(drift), V(unsynced), V(few_peers), V(stratum), V(unresolved), V(incomplete), V(no_tool), V(no_daemon), V(no_permission),
      V(not_answering) or V(parse_error).
    - V(contested) is somebody else who sets the clock, a second daemon or a hypervisor's tools. V(discordant) is also what direct probes and the daemon's
      own table disagree about, or its peers and its sensors. V(unsynced) tells apart, in RV(reasons), peers that never answered, a restart loop, sources
      without time, and a daemon that may not set the clock.
    - A clock that is more than 1.1 s off (or four times O(offset_critical), if that is more) is critical however busily it is slewed. What cannot be slewed
      away in a day has to be set, and RV(reasons) says how.
  returned: success
  type: str
  sample: blocked
severity:
  description: The worst of all findings, V(ok), V(warning), V(critical) or V(unknown).
  returned: success
  type: str
  sample: critical
reasons:
  description: Every finding that counts, in plain words.
  returned: success
  type: list
  elements: str
  sample:
    - >-
      192.0.2.4 is counted as valid but brings no usable reply (announces LI=3 (alarm): its own clock is not set): the daemon waits for it and adjusts
      nothing; the clock is off by 984.8 ms; a restart unblocks it, removing the peer from ntpd.conf cures it
notes:
  description: Worth knowing, without weight. What could not be looked at is said here, too.
  returned: success
  type: list
  elements: str
  sample: [leap second in 80 min]
blocking_peers:
  description: Peers for which the daemon waits in vain.
  returned: success
  type: list
  elements: str
  sample: [192.0.2.4]
falsetickers:
  description: Peers outside what the majority agrees on, by more than O(offset_warning).
  returned: success
  type: list
  elements: str
  sample: [192.0.2.4]
clock:
  description: Figures in seconds. What is not known is null, never 0.
  returned: success
  type: dict
  contains:
    synced:
      description: What the daemon claims.
      type: bool
    stratum:
      description: The daemon's stratum.
      type: int
    valid_peers:
      description: Peers that the daemon counts as valid.
      type: int
    total_peers:
      description: Peers that are configured.
      type: int
    offset_mean:
      description: Mean of the offsets of all valid peers plus the pending slew, then absolute.
      type: float
    offset_median:
      description: Median of the same, absolute.
      type: float
    pending_slew:
      description: Rest of the running correction, where the daemon reports it.
      type: float
    clock_error:
      description: What the clock must be moved by to be right, by the median or, where direct probes agree, by those. The number to alert on.
      type: float
    error_source:
      description: V(daemon) or V(probes).
      type: str
    majority:
      description: Lower and upper end of what most peers agree on (RFC 5905).
      type: list
      elements: float
    probe_majority:
      description: The same of the direct probes.
      type: list
      elements: float
    truechimers:
      description: Members of that majority.
      type: int
    eta:
      description: Time the kernel takes to slew the error away.
      type: float
    adjusted_ago:
      description: Time since the daemon last adjusted the clock. Known where ntpd.conf has C(listen on 127.0.0.1), or from chrony.
      type: float
    drift_ppm:
      description: Frequency correction in parts per million.
      type: float
    constraint_offset:
      description: What OpenNTPD's constraints say that the clock must be moved by, in whole seconds. From 3 s on it warns, from 10 s on it is critical.
      type: float
    constraint_errors:
      description: Constraints that could not be asked.
      type: int
  sample: {synced: true, stratum: 3, valid_peers: 4, total_peers: 4, offset_mean: 0.712313, offset_median: 0.984824, clock_error: -0.984824}
peers:
  description:
    - Every peer, in the daemon's order, with C(peer), C(name), C(pool), C(valid), C(selected), C(blocking), C(falseticker), C(stratum), C(weight), C(trust),
      C(next), C(poll), C(offset), C(delay), C(jitter), C(dispersion) and C(reach).
  returned: success
  type: list
  elements: dict
  sample: [{peer: 192.0.2.1, valid: true, selected: true, stratum: 2, trust: 10, poll: 32, offset: 0.0004, delay: 0.013, jitter: 0.001}]
sensors:
  description: Hardware clocks, as OpenNTPD shows them.
  returned: success
  type: list
  elements: dict
  sample: []
probes:
  description: What each peer answered to a direct probe, or why it did not.
  returned: success
  type: list
  elements: dict
  sample: [{server: 192.0.2.4, address: 192.0.2.4, sent: 1, answers: [], problem: 'announces LI=3 (alarm): its own clock is not set'}]
daemon:
  description: Which daemon was asked, its process and its age in seconds.
  returned: success
  type: dict
  sample: {kind: openntpd, pid: 932, uptime: 172807}
leap:
  description: The table of leap seconds that was read, the last one and the next one, in Unix seconds. Null without a table.
  returned: success
  type: dict
  sample: {file: /usr/share/zoneinfo/leap-seconds.list, expires: 1782604800, expired: false, next: null, last: {at: 1483228800, tai_offset: 37}}
previous:
  description: What the last run saw. Null for the first one.
  returned: success
  type: dict
  sample: {at: 1763830800, pid: 932, synced: true, clock_error: 0.0002, error_source: daemon}
repair:
  description:
    - Whether a restart is called for (C(wanted)), by which C(command), whether it is done or would be done (C(restart)), whether the command was run and
      changed anything (C(acted)), and the guard rails that forbid it (C(refused)).
  returned: success
  type: dict
  sample:
    wanted: true
    restart: false
    refused: ['only 2 peers agree, 3 are needed']
    warnings: []
    command: systemctl restart openntpd
    acted: false
restarted:
  description: Whether the daemon has been restarted.
  returned: success
  type: bool
  sample: false
restarts:
  description: Restarts by this module that are remembered, and whether they helped.
  returned: success
  type: list
  elements: dict
  sample: [{at: 1763830800, error_before: -0.984824, helped: true}]
candidates:
  description: Each of O(candidates) with rank and score, or the reason why it is refused.
  returned: success
  type: list
  elements: dict
  sample: [{server: ntp1.example.org, accepted: true, rank: 1, score: 0.012, offset: 0.0004, loss: 0.0, reason: null}]
servers:
  description: The accepted candidates, best first. Those that follow the same source as a better one come last.
  returned: success
  type: list
  elements: str
  sample: [ntp1.example.org, time.example.net]
version:
  description: Version of the program.
  returned: success
  type: str
  sample: 0.1.0
timings:
  description: Seconds per phase.
  returned: always
  type: dict
  sample: {check: {seconds: 0.009}, total: {seconds: 0.009}}
"""

from ansible_collections.apiary.bhyve.plugins.module_utils._documented import run  # noqa: E402


def main():
    run(DOCUMENTATION)


if __name__ == "__main__":
    main()
