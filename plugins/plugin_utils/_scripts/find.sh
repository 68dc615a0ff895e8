# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=sh disable=SC2154,SC2034
# Finds the program that is kept for this platform. Handed in: table, for each platform the two words of uname, and name, size and
# digest of its program; stamp, the date of an untouched one. Sets platform, file and sum.
# Linux says what it is without a command, which would take a millisecond; others have none of these files.
{ read -r platform </proc/sys/kernel/ostype && read -r arch </proc/sys/kernel/arch && platform="$platform $arch"; } 2>/dev/null || platform=$(uname -sm)
file=
# shellcheck disable=SC2086
set -- $table
while [ $# -gt 0 ]; do
    if [ "$1 $2" = "$platform" ]; then file=$3 size=$4 sum=$5; fi
    shift 5
done
if [ -z "$file" ]; then
    cat >/dev/null
    say none "$platform"
    exit 0
fi
if [ -z "$home" ] || [ "$(look "$folder/$file")" != "-rwx------ $size $stamp" ]; then
    cat >/dev/null
    say miss "$platform"
    exit 0
fi
