# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""dashboard.py FILE: reads a dashboard into the types that Grafana generates from its schemas, and back: nothing may be lost."""

from __future__ import annotations

import json
import pathlib
import sys

from grafana_foundation_sdk.cog import plugins
from grafana_foundation_sdk.models import dashboard, prometheus, stat, statetimeline, table, timeseries

OPTIONS = {"stat": stat.Options, "state-timeline": statetimeline.Options, "table": table.Options, "timeseries": timeseries.Options}


def lost(written, read, path=""):
    """What stands in the file and not in what was read."""
    if isinstance(written, dict):
        return [each for key, value in written.items() for each in lost(value, (read or {}).get(key), f"{path}/{key}")]
    if isinstance(written, list):
        pairs = zip(written, [*(read or []), *([None] * len(written))])
        return [each for at, (value, other) in enumerate(pairs) for each in lost(value, other, f"{path}/{at}")]
    return [] if written == read else [f"{path}: {written!r} became {read!r}"]


def main():
    """Reads, compares, and looks whether every panel is of a known kind and has a query."""
    plugins.register_default_plugins()
    written = json.loads(pathlib.Path(sys.argv[1]).read_text())
    read = dashboard.Dashboard.from_json(written)
    again = json.loads(json.dumps(read.to_json(), default=lambda each: each.to_json()))
    faults = lost(written, again)
    for panel in read.panels:
        if not isinstance(panel.options, OPTIONS.get(panel.type_val, ())):
            faults.append(f"{panel.title}: the options are not those of a {panel.type_val}")
        if not panel.targets or not all(isinstance(target, prometheus.Dataquery) and target.expr for target in panel.targets):
            faults.append(f"{panel.title}: expected queries for Prometheus")
    numbers = [panel.id_val for panel in read.panels]
    if len(numbers) < 5 or len(set(numbers)) != len(numbers):
        faults.append(f"expected five panels and more with numbers of their own, found {numbers}")
    sys.exit("\n".join(faults) or None)


if __name__ == "__main__":
    main()
