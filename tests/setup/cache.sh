# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=sh
# What is made once a machine, not once a clone. Sourced, not run.
#
#   cache_key                       the name of what is made from the text on standard input
#   cached KIND KEY MAKE...         prints the folder of what KEY names. Where it is not there, MAKE... makes it, given the empty
#                                   folder as its last word: in its place, because a venv knows its own path. What a killed
#                                   run has begun is begun again; what nobody has used for a month goes when the next is made.
#                                   MAKE is a program: a shell function would not stop at its first error here.
#   cache_lock NAME                 lets one caller on this machine at a time go on, until it ends (file descriptor 8)
#
# APIARY_CACHE names the folder that holds it all: apiary-tests in the user's cache folder by default.
cache_home=${APIARY_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/apiary-tests}

cache_key() {
    sha256sum | cut -c 1-16
}

cached() (
    set -eu
    kind=$cache_home/$1 folder=$cache_home/$1/$2
    shift 2
    mkdir -p "$kind"
    exec 8>"$folder.used"
    flock 8
    if [ ! -e "$folder/.made" ]; then
        find "$kind" -maxdepth 1 -name '*.used' -mtime +30 | while IFS= read -r old; do rm -rf "${old%.used}" "$old"; done
        rm -rf "$folder"
        mkdir "$folder"
        "$@" "$folder" >&2 8>&-
        touch "$folder/.made"
    fi
    touch "$folder.used"
    echo "$folder"
)

cache_lock() {
    mkdir -p "$cache_home"
    exec 8>"$cache_home/$1.lock"
    flock 8
}
