#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# docs/monitoring, read by those it is for: Icinga 2, Zabbix' agent, Grafana's types. Packages are unpacked, not installed.
# No registry has Telegraf: of its snippet the syntax is checked, and the command runs.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
program=${NTPD_CHECK:-$top/native/$("$top/modules/platform.sh")/ntpd_check}
snippets=$top/docs/monitoring
fixture=$top/tests/fixtures/ntpctl/7.9p1/healthy-06-later.all.txt
. "$top/tests/setup/cache.sh"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

packages=(icinga2-bin icinga2-common zabbix-agent)
# shellcheck disable=SC2016 # expanded by the inner shell
unpacked=$(cached monitoring "$(apt-cache show --no-all-versions "${packages[@]}" | cache_key)" bash -euo pipefail -c '
    cd "${!#}"
    mkdir -p archives/partial
    DEBIAN_FRONTEND=noninteractive apt-get -q -y -o APT::Sandbox::User=root -o DPkg::Lock::Timeout=600 \
        -o Dir::Cache::archives="$PWD/archives" install --download-only --reinstall --no-install-recommends "${@:1:$#-1}" >log 2>&1 || { cat log; exit 1; }
    for package in archives/*.deb; do dpkg-deb --extract "$package" .; done
    rm -r archives
' bash "${packages[@]}")
libraries=$(find "$unpacked/usr/lib" -maxdepth 1 -name '*-linux-*')
run() { LD_LIBRARY_PATH=$libraries "$@"; }
fail() { echo "$1" >&2; exit 1; }

# Icinga 2: the command, and the service on a host that has it.
cat >"$folder/icinga2.conf" <<'CONF'
include <itl>
object Endpoint "hv1" { host = "192.0.2.1" }
object Endpoint "master" { }
object Zone "master" { endpoints = [ "master" ] }
object Zone "hv1" { endpoints = [ "hv1" ]; parent = "master" }
object Host "hv1" {
  check_command = "dummy"
  zone = "master"
  vars.agent_endpoint = "hv1"
  vars.clock = true
  vars.ntpd_check_warning = "~:0.5"
  vars.ntpd_check_states = [ "no_permission=critical", "few_peers=ok" ]
}
CONF
cat "$snippets/icinga2.conf" >>"$folder/icinga2.conf"
icinga() {
    local setting settings=()
    for setting in InitRunDir CacheDir DataDir LogDir SpoolDir; do settings+=(-D "Configuration.$setting=$folder"); done
    run "$(find "$unpacked" -path '*/sbin/icinga2' -type f | grep -v '^.*/usr/sbin/')" daemon -C -c "$1" -I "$unpacked/usr/share/icinga2/include" \
        -D Configuration.RunAsUser=root -D Configuration.RunAsGroup=root "${settings[@]}"
}
icinga "$folder/icinga2.conf" >"$folder/log" 2>&1 || { cat "$folder/log"; fail "Icinga 2 does not accept its snippet"; }
grep -q 'Instantiated 1 Service\.' "$folder/log" || { cat "$folder/log"; fail "Icinga 2 makes no service of it"; }
# The check of the check.
sed 's/set_if/set if/' "$folder/icinga2.conf" >"$folder/bad.conf"
if icinga "$folder/bad.conf" >/dev/null 2>&1; then fail "Icinga 2 accepts everything"; fi
# What it would call.
said=$("$program" --nagios --warning '~:0.5' --critical '~:1' --timeout 3 --min-peers 2 --expected-offset 0 --unreachable unknown \
    --state no_permission=critical --state few_peers=ok --from "$fixture")
[[ $said == "NTPD OK - "* ]] || fail "expected OK, found $said"
echo "icinga2: command and service are accepted"

# Zabbix: the agent reads its line and runs it; sudo and the daemon are left out.
sed "s|/usr/bin/sudo -n /usr/local/libexec/ntpd_check|$program --from $fixture|" "$snippets/zabbix_agentd.conf" >"$folder/item.conf"
cmp -s "$folder/item.conf" "$snippets/zabbix_agentd.conf" && fail "the snippet for Zabbix calls something else"
printf 'LogType=console\nServer=127.0.0.1\nHostname=hv1\nTimeout=30\nInclude=%s\n' "$folder/item.conf" >"$folder/zabbix_agentd.conf"
said=$(run "$unpacked/usr/sbin/zabbix_agentd" --config "$folder/zabbix_agentd.conf" --test ntpd_check)
[[ $said =~ ^ntpd_check\ +\[t\|(.*)\]$ ]] || fail "expected text of Zabbix' agent, found $said"
python3 - "${BASH_REMATCH[1]}" "$snippets/zabbix_agentd.conf" <<'PY'
import json, pathlib, re, sys
answer = json.loads(sys.argv[1])
paths = re.findall(r"\$\.[a-z_.\[\]0]+", pathlib.Path(sys.argv[2]).read_text())
assert len(paths) == 6, paths
for path in paths:
    found = answer
    for key in path.removeprefix("$.").replace("[0]", "").split("."):
        found = found[key]
assert answer["verdict"] == "ok", answer["verdict"]
PY
echo "zabbix: the item holds what its JSONPaths name"

# Telegraf.
python3 - "$snippets/telegraf.conf" "$program" "$fixture" <<'PY'
import pathlib, subprocess, sys, tomllib
[section] = tomllib.loads(pathlib.Path(sys.argv[1]).read_text())["inputs"]["exec"]
[command] = section["commands"]
assert section["data_format"] == "prometheus" and command.startswith("/usr/bin/sudo -n /usr/local/libexec/ntpd_check --")
words = [sys.argv[2], *command.split()[3:], "--from", sys.argv[3]]
said = subprocess.run(words, check=True, capture_output=True, text=True).stdout
assert said.startswith("# HELP ntpd_check_up "), said
PY
echo "telegraf: the snippet is TOML, and its command prints metrics"

"$("$top/tests/setup/venv.sh" monitoring)/bin/python" "$top/tests/integration/dashboard.py" "$snippets/grafana.json"
# The check of the check: a panel of a kind that there is not.
sed 's/"type": "stat"/"type": "stats"/' "$snippets/grafana.json" >"$folder/bad.json"
if "$("$top/tests/setup/venv.sh" monitoring)/bin/python" "$top/tests/integration/dashboard.py" "$folder/bad.json" 2>/dev/null; then
    fail "every dashboard is accepted"
fi
echo "grafana: the dashboard is what its schema says, panel by panel"
