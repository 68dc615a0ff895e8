# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Long work: progress, async, broken connections, and what is left when somebody presses Ctrl-C."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import termios
import threading
import time

import pytest


def wait_until(condition, what):
    deadline = time.monotonic() + 300
    while not condition():
        assert time.monotonic() < deadline, "waited in vain for " + what
        time.sleep(0.1)


def jobs(site, account="plain"):
    return [path for path in site.kept(account) if path.name.startswith("job-")]


def running(site, account="plain"):
    """Process ids of the programs of an account's jobs that are alive."""
    pids = []
    for job in jobs(site, account):
        pid = (job / "pid").read_text().strip() if (job / "pid").exists() else ""
        if pid and os.path.exists("/proc/" + pid):
            pids.append(int(pid))
    return pids


@pytest.fixture
def watched(site):
    """A terminal with Ansible at it: start(options, hosts) gives the process and what it has shown so far."""
    started = []

    def start(options, hosts="plain"):
        parent, child = pty.openpty()
        termios.tcsetwinsize(parent, (24, 100))
        environment = dict(site.environment(), TERM="xterm")
        del environment["ANSIBLE_NOCOLOR"]
        process = subprocess.Popen(
            [str(site.bin("ansible")), hosts, "-m", "apiary.bhyve.probe", "-a", options],
            cwd=site.folder,
            env=environment,
            stdin=child,
            stdout=child,
            stderr=child,
            start_new_session=True,
        )
        os.close(child)
        shown = bytearray()

        def read():
            try:
                while block := os.read(parent, 4096):
                    shown.extend(block)
            except OSError:
                pass

        thread = threading.Thread(target=read, daemon=True)
        thread.start()
        started.append((process, thread, parent))
        return process, shown

    yield start
    for process, thread, parent in started:
        if process.poll() is None:
            process.kill()
        process.wait()
        thread.join(10)
        os.close(parent)


@pytest.mark.parametrize("account", ["plain", "csh", "bash"])
def test_long_work_gives_the_same_reply(site, account):
    result = site.ask(account, {"work": 4, "text": "x"})
    assert (result.get("text"), result.get("user")) == ("x", account), result
    assert jobs(site, account) == []


def test_a_crash_of_long_work_is_a_failed_task(site):
    result = site.ask("plain", {"work": 4, "behaviour": "abort"})
    assert (result["msg"], result["rc"]) == ("probe was ended by SIGABRT without a reply", 134)
    assert jobs(site) == []


def test_a_killed_program_is_a_failed_task(site):
    answer = {}
    thread = threading.Thread(target=lambda: answer.update(site.ask("plain", {"work": 60})))
    thread.start()
    wait_until(lambda: running(site), "the program")
    os.kill(running(site)[0], signal.SIGKILL)
    thread.join()
    assert answer["msg"] == "probe was ended by SIGKILL without a reply"
    assert jobs(site) == []


def test_a_vanished_job_is_a_failed_task(site):
    answer = {}
    thread = threading.Thread(target=lambda: answer.update(site.ask("plain", {"work": 60})))
    thread.start()
    wait_until(lambda: running(site), "the program")
    (pid,) = running(site)
    parent = int(open("/proc/%d/stat" % pid).read().split()[3])
    os.kill(parent, signal.SIGKILL)
    os.kill(pid, signal.SIGKILL)
    thread.join()
    assert answer["msg"] == "probe vanished from the target: it was killed, or the host restarted"
    assert jobs(site) == []


def test_a_broken_connection_is_picked_up_again(site):
    answer = {}
    thread = threading.Thread(target=lambda: answer.update(site.ask("plain", {"work": 12, "text": "x"})))
    thread.start()
    wait_until(lambda: running(site), "the program")
    time.sleep(3)
    for _time in range(2):
        site.cut("plain")
        time.sleep(1)
    thread.join()
    assert answer.get("text") == "x", answer
    assert jobs(site) == []


def test_async_ends_at_its_limit(site):
    assert site.ask("plain", {"text": "x"}, "-B", "300", "-P", "1")["text"] == "x"
    assert site.ask("plain", {"text": "x", "work": 4}, "-B", "300", "-P", "1")["text"] == "x"
    result = site.ask("plain", {"work": 60}, "-B", "3", "-P", "1")
    assert result["msg"] == "probe did not finish within 3 s and has been ended"
    assert jobs(site) == []


def test_async_without_poll_leaves_the_job_to_itself(site):
    result = site.ask("plain", {"work": 30, "text": "x"}, "-B", "300", "-P", "0")
    assert (result["started"], result["finished"]) == (True, False)
    asked = {"jid": result["ansible_job_id"]}
    assert site.ask("plain", asked, module="apiary.bhyve.job_status")["finished"] == 0
    cleanup = {**asked, "mode": "cleanup"}
    assert site.ask("plain", cleanup, "--check", module="apiary.bhyve.job_status")["changed"] and running(site)
    wait_until(lambda: not running(site), "the end of the job")
    done = site.ask("plain", asked, module="apiary.bhyve.job_status")
    assert (done["finished"], done["text"]) == (1, "x")
    assert site.ask("plain", cleanup, module="apiary.bhyve.job_status")["erased"] == asked["jid"]
    assert jobs(site) == []
    gone = site.ask("plain", asked, module="apiary.bhyve.job_status")
    assert gone["failed"] and "no job" in gone["msg"]


def test_a_task_that_is_tried_again_keeps_its_limit(site):
    play = site.folder / "again.yml"
    play.write_text(AGAIN)
    done = site.run("ansible-playbook", str(play))
    assert done.returncode == 2 and "RETRYING" in done.stdout, done.stdout
    assert "did not finish within 3 s and has been ended" in done.stdout, done.stdout
    assert jobs(site) == []


AGAIN = """
- hosts: plain
  gather_facts: false
  tasks:
    - apiary.bhyve.probe: {work: 20}
      async: 3
      poll: 1
      register: probed
      until: probed is succeeded
      retries: 1
      delay: 0
"""


def test_what_needs_the_ordinary_transfer_cannot_be_left_to_itself(site):
    for host, words in (("noexec", ()), ("plain", ("-b", "--become-user=careful", "--become-method=su"))):
        result = site.ask(host, {"text": "x"}, "-B", "300", "-P", "0", *words, "-e", "ansible_become_password=secret-word")
        assert result["failed"] and "expected poll above 0, found poll: 0" in result["msg"], result


def test_the_ordinary_transfer_says_that_it_has_no_limit(site):
    words = ("-m", "apiary.bhyve.probe", "-a", "text=x", "-B", "300", "-P", "5", "-e", "ansible_remote_tmp=/tmp/apiary-noexec")
    done = site.run("ansible", "noexec", *words)
    assert "noexec | SUCCESS" in done.stdout and "noexec: async does not end this task" in " ".join(done.stderr.split())


def lines_of(shown, host):
    """The different states of the moving line that a host has shown."""
    return {line for line in bytes(shown).split(b"\r\x1b[K") if line.startswith(host + b": pretending: ")}


def test_progress_is_a_line_that_moves_on_a_terminal(site, watched):
    # Longer than any machine takes to ask twice; the next test is about how it ends.
    process, shown = watched("work=3600")
    wait_until(lambda: len(lines_of(shown, b"plain")) > 2, "a line that moves")
    whole = [line for line in lines_of(shown, b"plain") if line.endswith(b"\r")]
    assert whole and all(b" of " in line and b"/s" in line and line.endswith(b" left\r") for line in whole), shown
    os.killpg(process.pid, signal.SIGINT)
    process.wait(timeout=300)
    wait_until(lambda: jobs(site) == [], "the end of the job")


def test_progress_of_several_hosts_shares_the_line(site, watched):
    hosts = ("plain", "csh", "bash")
    process, shown = watched("work=3600", ",".join(hosts))
    wait_until(lambda: all(len(lines_of(shown, host.encode())) > 1 for host in hosts), "every host's line")
    os.killpg(process.pid, signal.SIGINT)
    process.wait(timeout=300)
    for host in hosts:
        wait_until(lambda account=host: jobs(site, account) == [], "the end of the job of " + host)
    assert b"Traceback" not in shown


def test_the_line_is_gone_when_the_work_is_done(site, watched):
    process, shown = watched("work=6")
    assert process.wait(timeout=300) == 0, shown
    wait_until(lambda: b'"text"' in shown, "the result")
    # Whatever the line last said has been wiped from where the result begins.
    before = bytes(shown).partition(b"plain | SUCCESS")[0].rpartition(b"\r\x1b[K")[2]
    assert b"pretending" not in before, shown


def test_progress_is_silent_without_a_terminal(site):
    done = site.run("ansible", "plain", "-m", "apiary.bhyve.probe", "-a", "work=6", ANSIBLE_LOG_PATH=str(site.folder / "log"))
    log = (site.folder / "log").read_text()
    assert "pretending" not in done.stdout + done.stderr + log and "SUCCESS" in log


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_stopped_controller_ends_the_work(site, watched, number):
    process, shown = watched("work=60")
    wait_until(lambda: b"pretending" in shown, "progress")
    (pid,) = running(site)
    if number == signal.SIGINT:
        os.killpg(process.pid, number)
    else:
        process.send_signal(number)
    process.wait(timeout=300)
    wait_until(lambda: not os.path.exists("/proc/%d" % pid), "the end of the program")
    wait_until(lambda: jobs(site) == [], "the end of the job")
    assert b"Traceback" not in shown


def test_work_nobody_asks_after_ends_by_itself(site, watched):
    process, shown = watched("work=60")
    wait_until(lambda: b"pretending" in shown, "progress")
    (pid,) = running(site)
    for worker in site.processes_below(process.pid):
        os.kill(worker, signal.SIGKILL)
    process.kill()
    wait_until(lambda: not os.path.exists("/proc/%d" % pid), "the end of the program")
    wait_until(lambda: jobs(site) == [], "the end of the job")
