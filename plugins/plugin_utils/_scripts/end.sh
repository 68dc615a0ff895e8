# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=sh disable=SC2154,SC2034
# A program that died unheard is weighed again, in case its time stamp survived the damage.
if [ "$r" -gt 125 ]; then
    found=$(digest <"$folder/$file")
    if [ "${found%% *}" != "$sum" ]; then
        rm -f "$folder/$file"
        echo
        say damaged
    fi
fi
if [ "$r" -eq 255 ]; then r=254; fi
exit "$r"
