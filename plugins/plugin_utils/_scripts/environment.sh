# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=sh disable=SC2154,SC2034
# Takes the environment that the first line of standard input exports. A value's line ends stand there as "$n".
IFS= read -r exports
n=$(printf "\n.")
n=${n%.}
eval "$exports"
