# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=sh disable=SC2154,SC2034
# Runs a program that was sent to a temporary folder. Handed in: mark, program, arguments.
# stderr is held back: on a terminal it would end up in the middle of the reply.
echo "${mark}run"
{ errors=$("$program" "$arguments" 2>&1 >&3); r=$?; } 3>&1
[ "$r" -eq 0 ] || echo "$errors" >&2
[ "$r" -ne 255 ] || r=254
exit "$r"
