# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=sh disable=SC2154,SC2034
# What every script begins with. Handed in: mark, the word that an answer begins with.
say() { printf "%s\n" "$mark$*"; }
digest() { { sha256sum || sha256; } 2>/dev/null; }

# look PATH shows mode, size and date of what is there, if it is ours and no part of the path, whose links are resolved, can be
# changed by anybody but us and root: what is true of it then stays true. All is read by one ls. In a folder with the sticky
# bit nobody else can put something in the place of what is ours. SELinux adds a dot to a mode.
look() {
    p=$1
    until [ "$p" = / ]; do
        p=${p%/*}
        p=${p:-/}
        set -- "$p" "$@"
    done
    c=$#
    # shellcheck disable=SC2012
    LC_ALL=C TZ=UTC0 ls -ldn "$@" 2>/dev/null | {
        k=
        w=
        while read -r m n o g s x y z n; do
            c=$((c - 1))
            k="$k $o"
            l="${m%.} $s $x $y $z"
            case $c,${m%.} in *,d????-??-? | *,d????????[tT] | 0,[d-]*) ;; *) w=1 ;; esac
        done
        for n in $k; do
            case $n in 0 | "$user") ;; *) w=1 ;; esac
        done
        [ $c = 0 ] && [ -z "$w" ] && [ "${k##* }" = "$user" ] && echo "$l"
    }
}
user=$(id -u)
home=
if [ -h "$HOME" ]; then
    :
else
    case $HOME in /*) home=$(cd -P "$HOME" 2>/dev/null && pwd -P) ;; esac
fi
folder=$home/.cache/apiary.bhyve
