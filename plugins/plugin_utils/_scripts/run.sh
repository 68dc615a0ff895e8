# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=sh disable=SC2154,SC2034
# Runs the program. Its arguments are the rest of standard input, but where they had to be read before the program was kept.
# Without exec: a signal must reach us as 128 + n, because ssh makes 255 of it, which is also its own word for "no connection".
say run "$platform"
if [ -n "$arguments" ]; then printf %s "$arguments" | "$folder/$file" -; else "$folder/$file" -; fi
r=$?
