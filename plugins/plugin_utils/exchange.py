# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words spoken with a target: one line of POSIX shell there, a marked answer back.

The scripts hold no single quote, and no exclamation mark but before a blank, and become one line, because the login shell that hands
them to /bin/sh may be csh or fish. Arguments and environment travel on stdin, never on a command line.
"""

from __future__ import annotations

import dataclasses
import json
import shlex

# An answer starts with this word on a line of its own; whatever a login script prints before it is dropped.
MARK = "apiary.bhyve:"

# A kept program carries this time stamp. With owner, mode and size it tells an untouched file from a damaged one
# without reading it; noon, because the day is then the same whatever the clock's zone.
_STAMP, _STAMP_SHOWN = "200001151200", "Jan 15 2000"

# What every script begins with. `look PATH` shows mode, size and date of what is there, if it is ours and no part of the path,
# whose links are resolved, can be changed by anybody but us and root: what is true of it then stays true. All is read by one
# ls. In a folder with the sticky bit nobody else can put something in the place of what is ours. SELinux adds a dot to a mode.
COMMON = r"""
say() { printf "%s\n" "@MARK@$*"; };
digest() { { sha256sum || sha256; } 2>/dev/null; };
look() {
p=$1; until [ "$p" = / ]; do p=${p%/*}; p=${p:-/}; set -- "$p" "$@"; done; c=$#;
LC_ALL=C TZ=UTC0 ls -ldn "$@" 2>/dev/null | {
k=; w=; while read -r m n o g s x y z n; do c=$((c - 1)); k="$k $o"; l="${m%.} $s $x $y $z";
case $c,${m%.} in *,d????-??-? | *,d????????[tT] | 0,[d-]*) ;; *) w=1;; esac; done;
for n in $k; do case $n in 0 | $e) ;; *) w=1;; esac; done;
[ $c = 0 ] && [ -z "$w" ] && [ "${k##* }" = $e ] && echo "$l"; };
};
e=$(id -u); u=; if [ -h "$HOME" ]; then :; else case $HOME in /*) u=$(cd -P "$HOME" 2>/dev/null && pwd -P);; esac; fi;
d=$u/.cache/apiary.bhyve;
"""

# Linux says what it is without a command, which would take a millisecond; others have none of these files.
_FIND = r"""
{ read s </proc/sys/kernel/ostype && read p </proc/sys/kernel/arch && p="$s $p"; } 2>/dev/null || p=$(uname -sm);
case $p in @TABLE@ *) cat >/dev/null; say none "$p"; exit 0;; esac;
if [ -n "$u" ] && [ "$(look "$d/$f")" = "-rwx------ $s @SHOWN@" ]; then :; else cat >/dev/null; say miss "$p"; exit 0; fi;
"""

# Others may keep the same program at this moment: nothing that one of them has put in place is removed, made or written.
# The folder may have been open to others: then it is closed, and nothing of theirs in it passes for ours.
_KEEP = r"""
IFS= read -r a;
p="@UNAME@"; f=@KEPT@; h=@SHA256@; b=$(umask); t=;
fail() { cat >/dev/null; rm -f $t; say "$@"; exit 0; };
own() {
[ -O "$1" ] || fail nowhere "$1 belongs to somebody else";
case $(look "$1") in $2\ *) ;; *) fail nowhere "$1 is a link, or others can write to it or to a folder that it is in";; esac; };
umask 077;
[ -n "$u" ] || fail nowhere "there is no home folder ($HOME), or it is a link";
own "$u" "d????-??-?";
m=$(mkdir -p "$u/.cache" 2>&1) || fail nowhere $m;
own "$u/.cache" "d????-??-?";
m=$(mkdir -p "$d" 2>&1) || fail nowhere $m;
own "$d" "d*";
m=$( { chmod 700 "$d" && cd -P "$d"; } 2>&1) && cd -P "$d" || fail nowhere $m;
t=$(mktemp .new.XXXXXX) || fail error "no file can be made in $d";
m=$(dd bs=65536 conv=fsync of=$t 2>&1) || fail error "writing $d/$f:" $m;
[ $(wc -c <$t) -eq @SIZE@ ] || fail error "$d/$f arrived with $(wc -c <$t) of @SIZE@ bytes";
case $(digest <$t) in
$h*) ;;
"") fail error "neither sha256sum nor sha256 is installed";;
*) fail error "$d/$f does not have the SHA-256 it was sent with";;
esac;
chmod 700 $t;
[ -x $t ] || fail noexec "programs cannot run in $d";
[ ! -d $f ] || rm -rf $f;
m=$(mv -f $t $f 2>&1) || fail error "putting $d/$f in place:" $m;
TZ=UTC0 touch -ct @STAMP@ $f;
for o in @KIND@-*; do [ $o = $f ] || rm -f $o; done;
find . -name ".new.*" -mmin +60 -exec rm -f {} + 2>/dev/null; find . -name "job-*" -prune -mmin +10080 -exec rm -rf {} + 2>/dev/null;
cd - >/dev/null 2>&1 || cd; umask $b;
"""

_ENVIRONMENT = r"""
IFS= read -r e; n=$(printf "\n."); n=${n%.}; eval "$e";
"""

# Without exec: a signal must reach us as 128 + n, because ssh makes 255 of it, which is also its own word for
# "no connection".
_RUN = r"""
say run "$p"; @PIPE@ "$d/$f" -; r=$?;
"""

# The program stands apart from the connection. We wait for it a moment: most are done by then, and their reply
# travels in this same exchange. After that a watcher ends what nobody has asked after for a while (@LEASE@).
_JOB = r"""
j=$d/job-@JOB@; m=$(umask 077; mkdir "$j" 2>&1) || { cat >/dev/null; say error "making $j:" $m; exit 0; };
exec 3<&0; trap "" HUP;
( APIARY_PROGRESS=$j/progress; export APIARY_PROGRESS;
@PIPE@ "$d/$f" - @FROM@ >"$j/reply" 2>"$j/errors" & c=$!; echo $c >"$j/pid"; wait $c; echo $? >"$j/rc"
) </dev/null >/dev/null 2>&1 & w=$!; exec 3<&-; trap "" PIPE; trap : ALRM;
if [ @GRACE@ -gt 0 ]; then ( sleep @GRACE@; kill -ALRM $$ ) </dev/null >/dev/null 2>&1 & k=$!; wait $w; kill $k 2>/dev/null; fi;
if [ -s "$j/rc" ]; then :; else
( while sleep @LEASE@ && [ -d "$j" ]; do
if @SEEN@; then rm -f "$j/seen"; else
if [ -s "$j/rc" ]; then :; else read c <"$j/pid" && kill $c; sleep 5; fi; @SWEEP@ break; fi;
done ) </dev/null >/dev/null 2>&1 & say busy; exit 0; fi;
say run "$p"; cat "$j/reply"; if [ -s "$j/errors" ]; then cat "$j/errors" >&2; fi; read r <"$j/rc"; rm -rf "$j";
"""

# A program that died unheard is weighed again, in case its time stamp survived the damage.
_END = r"""
if [ $r -gt 125 ]; then case $(digest <"$d/$f") in $h*) ;; *) rm -f "$d/$f"; echo; say damaged;; esac; fi;
if [ $r -eq 255 ]; then r=254; fi;
exit $r
"""


@dataclasses.dataclass(frozen=True)
class Answer:
    """What the target said: `word` (run, busy, miss, none, nowhere, ...), its `detail`, and what followed."""

    word: str
    detail: str
    stdout: str
    stderr: str
    rc: int

    @classmethod
    def of(cls, result):
        """Reads a low-level command's result; a target that did not get as far as our mark has no word."""
        before, mark, after = ("\n" + result["stdout"].replace("\r\n", "\n")).partition("\n" + MARK)
        line, _newline, rest = after.partition("\n")
        word, _space, detail = line.partition(" ")
        return cls(word, detail.strip(), rest if mark else before, result.get("stderr", ""), result["rc"])

    @property
    def damaged(self):
        """The kept program was not what had been sent; it is gone now."""
        return self.stdout.endswith("\n" + MARK + "damaged\n")

    def reply(self):
        """The program's one JSON object, or None."""
        try:
            reply = json.loads(self.stdout)
        except ValueError:
            return None
        return reply if isinstance(reply, dict) else None


def run_kept(programs, environment, job=None):
    """Runs the program kept for the target's platform; answers `miss UNAME`, or `none UNAME` if none was built."""
    table = " ".join(
        '"%s") f=%s; s=%d; h=%s;;' % (uname, program.kept_name, program.size, program.sha256)
        for uname, program in programs.items()
    )
    script = COMMON + _FIND + _with(environment) + (_JOB if job else _RUN) + _END
    return line(script, job, TABLE=table, SHOWN=_STAMP_SHOWN, PIPE="", FROM="<&3")


def keep_and_run(program, environment, job=None):
    """Keeps the program that follows the arguments on stdin, then runs it."""
    script = COMMON + _with(environment) + _KEEP + (_JOB if job else _RUN) + _END
    return line(
        script,
        job,
        UNAME=program.uname,
        KEPT=program.kept_name,
        KIND=program.kind,
        SHA256=program.sha256,
        SIZE=program.size,
        STAMP=_STAMP,
        PIPE='printf %s "$a" |',
        FROM="",
    )


def _with(environment):
    return _ENVIRONMENT if environment else ""


def stdin(environment, args, program=b""):
    """What the scripts read: the environment, if any; the arguments; the program, if it has to be kept."""
    line = b""
    if environment:
        # A value may hold line ends; the line must not.
        words = (shlex.quote(str(value)).replace("\n", "'\"$n\"'") for value in environment.values())
        line = ("export " + " ".join(map("%s=%s".__mod__, zip(environment, words))) + "\n").encode()
    return line + args + b"\n" + program


def line(script, job=None, **values):
    """A script as one line, its @NAMES@ replaced by the values and by those of the job."""
    for name, value in dict(values, MARK=MARK, **(job.values() if job else {})).items():
        script = script.replace("@%s@" % name, str(value))
    return " ".join(script.split("\n")).strip()
