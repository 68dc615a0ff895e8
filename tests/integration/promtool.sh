#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Metrics of a daemon in all its states, judged by Prometheus' own promtool. The package is unpacked, not installed.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
program=${NTPD_CHECK:-$top/native/$("$top/modules/platform.sh")/ntpd_check}
. "$top/tests/setup/cache.sh"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# Newer releases of Debian have it in a package of its own.
package=$(apt-cache show promtool >/dev/null 2>&1 && echo promtool || echo prometheus)
# shellcheck disable=SC2016 # expanded by the inner shell
unpacked() {
    cached promtool "$(apt-cache show --no-all-versions "$package" | cache_key)" bash -euo pipefail -c '
        cd "$1"
        apt-get -q -o APT::Sandbox::User=root download "$0"
        dpkg-deb --fsys-tarfile ./*.deb | tar -x ./usr/bin/promtool
        rm ./*.deb
    ' "$package"
}
promtool=$(command -v promtool) || promtool=$(unpacked)/usr/bin/promtool

fixtures=$top/tests/fixtures/ntpctl
# Every kind of metric, present and absent; promtool takes its time, so not every fixture.
for text in 7.9p1/{healthy-06-later,incident2-03-leap+15min,names-pool-03-synced,no-peers-01-started,all-drop-after-sync-02-alldrop-2h}.all.txt \
    6.2p3/{offset-all-05-slewing,strata-05-synced,healthy-06-later}.all.txt 7.9p1/healthy-06-later.{status,peers}.txt origin.all.txt; do
    "$program" --from "$fixtures/$text" --prometheus "$folder/ntpd_check.prom"
    "$promtool" check metrics <"$folder/ntpd_check.prom" || { echo "promtool does not like $text" >&2; exit 1; }
done
"$program" --from - --prometheus - <"$fixtures/origin.all.txt" | "$promtool" check metrics || { echo "promtool does not like a pipe" >&2; exit 1; }
# Two names of one address are two series: one that stood there twice would make the collector refuse the file.
sed -e 's/^10.99.0.1 $/10.99.0.1 a.example.org/' -e 's/^10.99.0.2 $/10.99.0.1 b.example.org/' "$fixtures/7.9p1/healthy-06-later.all.txt" >"$folder/twice.txt"
"$program" --from "$folder/twice.txt" --prometheus - >"$folder/twice.prom"
"$promtool" check metrics <"$folder/twice.prom" || { echo "promtool does not like two names of one address" >&2; exit 1; }
[ "$(grep -c '^ntpd_check_peer_offset_seconds{' "$folder/twice.prom")" -eq 4 ] || { echo "a peer is missing" >&2; exit 1; }
# The check of the check: a metric as promtool must not like it.
if printf '# TYPE x_ms gauge\nx_ms 1\n' | "$promtool" check metrics 2>/dev/null; then
    echo "promtool likes everything" >&2
    exit 1
fi
echo "promtool: metrics are clean"

rules=$top/docs/monitoring/prometheus.rules
"$promtool" check rules "$rules.yml" && "$promtool" test rules "$rules.test.yml"
# The check of the check: a rule that looks the wrong way.
sed 's/ntpd_check_up == 0/ntpd_check_up == 1/' "$rules.yml" >"$folder/prometheus.rules.yml"
cp "$rules.test.yml" "$folder/"
if "$promtool" test rules "$folder/prometheus.rules.test.yml" >/dev/null 2>&1; then
    echo "the rules' test sees nothing" >&2
    exit 1
fi
# Rules and dashboard speak of metrics that there are.
# shellcheck disable=SC2016 # the backquotes are those of the guide
known=$(grep -o '^   \* - ``ntpd_check_[a-z_]*``' "$top/docs/docsite/rst/guide_monitoring.rst" | tr -d ' *`-')
while IFS= read -r name; do
    grep -qx "$name" <<<"$known" || { echo "$name is no metric of ours" >&2; exit 1; }
done < <(grep -oh 'ntpd_check_[a-z_]*' "$rules.yml" "$top/docs/monitoring/grafana.json" | sort -u)
echo "promtool: alerts come and go as they must"
