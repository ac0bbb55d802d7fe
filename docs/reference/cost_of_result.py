"""Prints what each cell of a result cost: the median over its valid trials. Standard library only.

  python3 cost_of_result.py results/20261123T101500Z-demo
"""
# SPDX-License-Identifier: Apache-2.0
import collections
import json
import pathlib
import statistics
import sys


def cost_of(file):
    """Of what was published from the warm-up on, which is what `resources` covers."""
    trial = json.loads(file.read_text())
    events, published = trial["published"]["events"], trial["published"]["bytes"]
    servers = [row for row in trial["resources"] if row["role"].startswith(trial["platform"] + "-")]
    if not trial["valid"] or not events or not published:
        return None
    device = trial["machine"].get("device_write_bytes")
    return {"CPU-s/M events": sum(row["cpu_seconds"] for row in servers) / events * 1e6,
            "written/published": sum(row["write_bytes"] for row in servers) / published,
            "device/published": None if device is None else device / published,
            "peak MiB": sum(row["rss_bytes_max"] for row in servers) / 2**20,
            "bytes/event": published / events}


cells = collections.defaultdict(list)
for path in sorted(pathlib.Path(sys.argv[1]).glob("trials/*/trial.json")):
    if cost := cost_of(path):
        cells[json.loads(path.read_text())["cell"]].append(cost)
for cell, costs in cells.items():
    medians = {name: [cost[name] for cost in costs if cost[name] is not None] for name in costs[0]}
    print(cell, f"({len(costs)} trials)", *(
        f"{name} {statistics.median(values):.1f}" if values else f"{name} –" for name, values in medians.items()), sep="  ")
