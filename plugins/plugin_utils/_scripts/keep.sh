# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=sh disable=SC2154,SC2034
# Keeps the program that follows the arguments on standard input. Handed in: platform, kind, file, size, sum, and stamp for touch.
# Others may keep the same program at this moment: nothing that one of them has put in place is removed, made or written.
# The folder may have been open to others: then it is closed, and nothing of theirs in it passes for ours.
IFS= read -r arguments
mask=$(umask)
new=
fail() {
    cat >/dev/null
    rm -f "$new"
    say "$@"
    exit 0
}
own() {
    [ -O "$1" ] || fail nowhere "$1 belongs to somebody else"
    # shellcheck disable=SC2254
    case $(look "$1") in $2\ *) ;; *) fail nowhere "$1 is a link, or others can write to it or to a folder that it is in" ;; esac
}
umask 077
[ -n "$home" ] || fail nowhere "there is no home folder ($HOME), or it is a link"
own "$home" "d????-??-?"
said=$(mkdir -p "$home/.cache" 2>&1) || fail nowhere "$said"
own "$home/.cache" "d????-??-?"
said=$(mkdir -p "$folder" 2>&1) || fail nowhere "$said"
own "$folder" "d*"
said=$({ chmod 700 "$folder" && cd -P "$folder"; } 2>&1) || fail nowhere "$said"
cd -P "$folder" || fail nowhere "$folder cannot be entered"
new=$(mktemp .new.XXXXXX) || fail error "no file can be made in $folder"
said=$(dd bs=65536 conv=fsync of="$new" 2>&1) || fail error "writing $folder/$file: $said"
arrived=$(($(wc -c <"$new")))
[ "$arrived" -eq "$size" ] || fail error "$folder/$file arrived with $arrived of $size bytes"
case $(digest <"$new") in
"$sum"*) ;;
"") fail error "neither sha256sum nor sha256 is installed" ;;
*) fail error "$folder/$file does not have the SHA-256 it was sent with" ;;
esac
chmod 700 "$new"
[ -x "$new" ] || fail noexec "programs cannot run in $folder"
[ ! -d "$file" ] || rm -rf "$file"
said=$(mv -f "$new" "$file" 2>&1) || fail error "putting $folder/$file in place: $said"
TZ=UTC0 touch -ct "$stamp" "$file"
for old in "$kind"-*; do
    [ "$old" = "$file" ] || rm -f "$old"
done
find . -name ".new.*" -mmin +60 -exec rm -f {} + 2>/dev/null
find . -name "job-*" -prune -mmin +10080 -exec rm -rf {} + 2>/dev/null
cd - >/dev/null 2>&1 || cd || :
umask "$mask"
