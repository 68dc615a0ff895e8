# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=sh disable=SC2154,SC2034
# Runs the program with its arguments in the next line of standard input. Where it receives, the stream follows; where it sends, the stream
# stands before its reply.
say run "$platform"
"$folder/$file" +
r=$?
