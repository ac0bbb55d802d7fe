"""Prints the p99 of publish response of every trial of a result in ns: of its raw histogram, and as stated.

  pip install hdrhistogram
  python3 read_result.py results/20261123T101500Z-demo
"""
# SPDX-License-Identifier: Apache-2.0
import json
import math
import pathlib
import sys

from hdrh.histogram import HdrHistogram


def p99_of(hop):
    """None where it is beyond what was measured: what has no value ranks above all that have one."""
    rank = math.ceil(0.99 * (hop["count"] + hop["censored"]))
    histogram = HdrHistogram.decode(hop["hdr_v2"])
    samples = histogram.get_total_count()
    return histogram.get_value_at_percentile(100 * rank / samples) if 0 < rank <= samples else None


for file in sorted(pathlib.Path(sys.argv[1]).glob("trials/*/trial.json")):
    trial = json.loads(file.read_text())
    hop = trial["hops"]["publish_response"]
    print(trial["id"], p99_of(hop), hop["p99_ns"])
