# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Long work: progress, async, broken connections, and what is left when somebody presses Ctrl-C."""

from __future__ import annotations

import concurrent.futures
import os
import pty
import signal
import subprocess
import termios
import threading

import pytest

from patience import patience, wait_for

# Work that has not ended by itself before a test has done what it is about; and a limit that it does not reach.
LONG, NEVER = 36000, str(int(patience(300)))
BESIDE = concurrent.futures.ThreadPoolExecutor()


@pytest.fixture(autouse=True)
def times_of_users(site, monkeypatch):
    """How long an exchange waits here, and a job goes on alone, is what it is for users."""
    monkeypatch.setattr(site, "times", {})


@pytest.fixture
def enough(site, request):
    """A file that ends the work it was given to as soon as it is there."""
    path = site.folder / ("enough-" + request.node.name)
    yield path
    path.unlink(missing_ok=True)


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
        thread.join(patience(10))
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


def started(site):
    """The process id of the one program that works for `plain`."""
    (pid,) = wait_for("the program", lambda: running(site))
    return pid


def test_a_killed_program_is_a_failed_task(site):
    answer = BESIDE.submit(site.ask, "plain", {"work": LONG})
    os.kill(started(site), signal.SIGKILL)
    assert answer.result()["msg"] == "probe was ended by SIGKILL without a reply"
    assert jobs(site) == []


def test_a_vanished_job_is_a_failed_task(site):
    answer = BESIDE.submit(site.ask, "plain", {"work": LONG})
    pid = started(site)
    parent = int(open("/proc/%d/stat" % pid).read().split()[3])
    os.kill(parent, signal.SIGKILL)
    os.kill(pid, signal.SIGKILL)
    assert answer.result()["msg"] == "probe vanished from the target: it was killed, or the host restarted"
    assert jobs(site) == []


def asked_after(site):
    """Waits until somebody asks after the job of `plain` who had not done so before."""
    (job,) = jobs(site)
    (job / "seen").unlink(missing_ok=True)
    wait_for("somebody to ask after the job", (job / "seen").exists)


def test_a_broken_connection_is_picked_up_again(site, enough):
    answer = BESIDE.submit(site.ask, "plain", {"work": LONG, "until": str(enough), "text": "x"})
    started(site)
    asked_after(site)
    for _time in range(2):
        site.cut("plain")
        asked_after(site)
    enough.touch()
    assert answer.result().get("text") == "x", answer.result()
    assert jobs(site) == []


def test_async_ends_at_its_limit(site):
    assert site.ask("plain", {"text": "x"}, "-B", NEVER, "-P", "1")["text"] == "x"
    assert site.ask("plain", {"text": "x", "work": 4}, "-B", NEVER, "-P", "1")["text"] == "x"
    result = site.ask("plain", {"work": LONG}, "-B", "3", "-P", "1")
    assert result["msg"] == "probe did not finish within 3 s and has been ended"
    assert jobs(site) == []


def test_async_without_poll_leaves_the_job_to_itself(site, enough):
    result = site.ask("plain", {"work": LONG, "until": str(enough), "text": "x"}, "-B", NEVER, "-P", "0")
    assert (result["started"], result["finished"]) == (True, False)
    asked = {"jid": result["ansible_job_id"]}
    assert site.ask("plain", asked, module="apiary.bhyve.job_status")["finished"] == 0
    cleanup = {**asked, "mode": "cleanup"}
    assert site.ask("plain", cleanup, "--check", module="apiary.bhyve.job_status")["changed"] and running(site)
    enough.touch()
    wait_for("the end of the job", lambda: not running(site))
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


AGAIN = f"""
- hosts: plain
  gather_facts: false
  tasks:
    - apiary.bhyve.probe: {{work: {LONG}}}
      async: 3
      poll: 1
      register: probed
      until: probed is succeeded
      retries: 1
      delay: 0
"""


def test_what_needs_the_ordinary_transfer_cannot_be_left_to_itself(site):
    for host, words in (("noexec", ()), ("plain", ("-b", "--become-user=careful", "--become-method=su"))):
        result = site.ask(host, {"text": "x"}, "-B", NEVER, "-P", "0", *words, "-e", "ansible_become_password=secret-word")
        assert result["failed"] and "expected poll above 0, found poll: 0" in result["msg"], result


def test_the_ordinary_transfer_says_that_it_has_no_limit(site):
    words = ("-m", "apiary.bhyve.probe", "-a", "text=x", "-B", NEVER, "-P", "5", "-e", "ansible_remote_tmp=/tmp/apiary-noexec")
    done = site.run("ansible", "noexec", *words)
    assert "noexec | SUCCESS" in done.stdout and "noexec: async does not end this task" in " ".join(done.stderr.split())


def lines_of(shown, host):
    """The different states of the moving line that a host has shown."""
    return {line for line in bytes(shown).split(b"\r\x1b[K") if line.startswith(host + b": pretending: ")}


def stop(site, process, number=signal.SIGINT, hosts=("plain",)):
    """Ends Ansible as a terminal does, or as a service manager does; nothing goes on without it."""
    if number == signal.SIGINT:
        os.killpg(process.pid, number)
    else:
        process.send_signal(number)
    process.wait(timeout=patience(60))
    for host in hosts:
        wait_for("the end of the job of " + host, lambda account=host: jobs(site, account) == [])


def test_progress_is_a_line_that_moves_on_a_terminal(site, watched):
    process, shown = watched(f"work={LONG}")
    wait_for("a line that moves", lambda: len(lines_of(shown, b"plain")) > 2, 120)
    whole = [line for line in lines_of(shown, b"plain") if line.endswith(b"\r")]
    assert whole and all(b" of " in line and b"/s" in line and line.endswith(b" left\r") for line in whole), shown
    stop(site, process)


def test_progress_of_several_hosts_shares_the_line(site, watched):
    hosts = ("plain", "csh", "bash")
    process, shown = watched(f"work={LONG}", ",".join(hosts))
    wait_for("every host's line", lambda: all(len(lines_of(shown, host.encode())) > 1 for host in hosts), 120)
    stop(site, process, hosts=hosts)
    assert b"Traceback" not in shown


def test_the_line_is_gone_when_the_work_is_done(site, watched, enough):
    process, shown = watched(f"work={LONG} until={enough}")
    wait_for("progress", lambda: b"pretending" in shown)
    enough.touch()
    assert process.wait(timeout=patience(60)) == 0, shown
    wait_for("the result", lambda: b'"text"' in shown)
    # Whatever the line last said has been wiped from where the result begins.
    before = bytes(shown).partition(b"plain | SUCCESS")[0].rpartition(b"\r\x1b[K")[2]
    assert b"pretending" not in before, shown


def test_progress_is_silent_without_a_terminal(site):
    done = site.run("ansible", "plain", "-m", "apiary.bhyve.probe", "-a", "work=6", ANSIBLE_LOG_PATH=str(site.folder / "log"))
    log = (site.folder / "log").read_text()
    assert "pretending" not in done.stdout + done.stderr + log and "SUCCESS" in log


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_stopped_controller_ends_the_work(site, watched, number):
    process, shown = watched(f"work={LONG}")
    wait_for("progress", lambda: b"pretending" in shown)
    pid = started(site)
    stop(site, process, number)
    wait_for("the end of the program", lambda: not os.path.exists("/proc/%d" % pid))
    assert b"Traceback" not in shown


def test_work_nobody_asks_after_ends_by_itself(site, watched, monkeypatch):
    monkeypatch.setattr(site, "times", {"PROBE_LEASE": "5"})
    process, _shown = watched(f"work={LONG}")
    pid = started(site)
    for worker in site.processes_below(process.pid):
        os.kill(worker, signal.SIGKILL)
    process.kill()
    wait_for("the end of the program", lambda: not os.path.exists("/proc/%d" % pid), 300)
    wait_for("the end of the job", lambda: jobs(site) == [])
