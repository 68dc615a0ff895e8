# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# Debian packages from this machine's own mirror, with contrib and backports added, without touching the system's sources.
# Sourced after common.sh; `apt_setup DIR` first, DIR holds the package lists.

codename=
apt_options=()

# Prints "URI SUITE" of Debian's own main archives, as the system's sources name them.
debian_archives() {
    # shellcheck disable=SC2016 # apt's own placeholders
    apt-get indextargets --format '$(ORIGIN) $(COMPONENT) $(REPO_URI) $(RELEASE)' 'Created-By: Packages' |
        awk -v c="$codename" '$1 == "Debian" && $2 == "main" && index($4, c) == 1 && $4 !~ /backports/ { print $3, $4 }' | sort -u
}

apt_setup() {
    local lists=$1 archives mirror
    codename=$(. /etc/os-release && [ "$ID" = debian ] && echo "$VERSION_CODENAME") ||
        die "this machine is not Debian: its packages cannot build the guest"
    archives=$(debian_archives)
    if [ -z "$archives" ]; then
        as_root apt-get -q update
        archives=$(debian_archives)
    fi
    mirror=$(awk -v c="$codename" '$2 == c { print $1; exit }' <<<"$archives")
    [ -n "$mirror" ] || die "apt's sources name no archive of Debian $codename (main)"
    mkdir -p "$lists/partial"
    {
        awk '{ print "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]", $1, $2, "main contrib" }' <<<"$archives"
        echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $codename-backports main contrib"
    } >"$lists/../sources.list"
    apt_options=(-q -o "Dir::Etc::SourceList=$lists/../sources.list" -o Dir::Etc::SourceParts=/dev/null
        -o "Dir::State::Lists=$lists" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o APT::Sandbox::User=root)
    apt-get "${apt_options[@]}" update
}

# apt_install PROGRAM=PACKAGE...: installs what is missing. Backports, because a machine may hold parts of qemu from there already.
apt_install() {
    local pair missing=()
    for pair in "$@"; do
        command -v "${pair%%=*}" >/dev/null || missing+=("${pair#*=}")
    done
    [ ${#missing[@]} = 0 ] || as_root env DEBIAN_FRONTEND=noninteractive apt-get "${apt_options[@]}" \
        install -y --no-install-recommends -t "$codename-backports" "${missing[@]}"
}

# apt_field PACKAGE FIELD: of the version that would be installed, backports preferred if the third argument says so.
apt_field() {
    apt-cache "${apt_options[@]}" ${3:+-t "$codename-backports"} show --no-all-versions "$1" | sed -n "s/^$2: //p"
}

# apt_unpack DIR PACKAGE...: downloads packages and unpacks them under DIR, running none of their scripts.
apt_unpack() {
    local dir=$1 deb
    shift
    mkdir -p "$dir/debs"
    (cd "$dir/debs" && apt-get "${apt_options[@]}" download "$@")
    for deb in "$dir"/debs/*.deb; do dpkg-deb -x "$deb" "$dir"; done
    rm -r "$dir/debs"
}
