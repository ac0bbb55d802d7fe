#!/usr/bin/env bash
# How fresh rows are and how fast a full topic is taken in: Pinot reads Kafka through its own plugin
# and Pulsar through Flow's, side by side in one run. Blocks K P P K ..., each with servers of its own:
#   1. 1,000 events/s, evenly placed, with the bodies of the shop's products; after the warm-up every
#      row counts: freshness, when the auditor saw the event, and the plugin's own share (the difference)
#   2. a topic that is full before the table is made, twice to warm up and three times measured: rows/s,
#      time until COUNT(*) is complete, CPU time of Pinot's server. Each time under a name of its own:
#      Pinot 0.11 may end a new table with an old one of its name that was just dropped
# At last the probe's share of Pinot's CPU, from a trial of each platform. Prints a table with limits.
#   bench/peers/freshness.sh [--blocks "K P P K"] [--level NAME] [--out FOLDER] [--without-probe]
# Exit code: 0 every limit holds, 1 one does not, 2 a wrong argument, 3 a server or the machine failed.
# SPDX-License-Identifier: Apache-2.0
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
home=${here%/*/*}
flow=$home/build/release/flow
load=$home/build/release/bench/freshness_load

blocks="K P P K"
level=fsync-1
out=
is_probed=1
while (($#)); do
  case $1 in
    --blocks | --level | --out)
      [[ $# -ge 2 ]] || { echo "flow: $1: expected a value" >&2; exit 2; }
      case $1 in --blocks) blocks=$2 ;; --level) level=$2 ;; --out) out=$2 ;; esac
      shift 2
      ;;
    --without-probe) is_probed=0; shift ;;
    *) echo "flow: $1: expected --blocks, --level, --out or --without-probe" >&2; exit 2 ;;
  esac
done
[[ $blocks =~ ^[KP](\ [KP])*$ ]] || { echo "flow: --blocks '$blocks': expected K and P" >&2; exit 2; }

per_second=1000
warm_up=15000      # Events: 15 s.
measured=40000     # 40 s.
full=600000        # Published after these, before the table is made anew.
partitions=6       # As in a trial.

export FLOW_CACHE=${FLOW_CACHE:-$HOME/.cache/flow}
"$home/tools/build" release flow freshness_load
"$home/tools/build-plugin"
"$home/tools/fetch-servers" kafka pulsar pinot
out=$(readlink -m "${out:-$home/results/freshness-$(date +%Y%m%d-%H%M%S)}")
mkdir -p "$out"

names=()
auditor=
cleanup() {
  [[ -z $auditor ]] || kill "$auditor" 2>/dev/null || true
  local name
  for name in "${names[@]}"; do "$flow" down "$name" >/dev/null 2>&1 || true; done
}
trap cleanup EXIT
trap 'exit 3' INT TERM
fail() { echo "flow: $*" >&2; exit 3; }

# up PLATFORM: starts it; its description is in $out/PLATFORM.json.
up() {
  local name=freshness-$$-$1
  names+=("$name")
  local levelled=()
  [[ $1 == pinot ]] || levelled=(--level "$level")
  FLOW_PINOT_PLUGIN=$home/build/pinot-pulsar/flow-pinot-pulsar.jar \
    "$flow" up "$1" --name "$name" "${levelled[@]}" --json >"$out/$1.json" || fail "$1 did not start"
}
field() { node -p "JSON.parse(require('fs').readFileSync('$out/$1.json', 'utf8')).$2"; }
ticks_of() { awk '{ sub(/^.*\) /, ""); print $12 + $13 }' "/proc/$1/stat"; }

audit() {
  "$flow" auditor "$@" --topics products --json >"$out/auditor.log" &
  auditor=$!
  local i
  for ((i = 0; i < 300; ++i)); do
    grep -q '"event":"ready"' "$out/auditor.log" && return
    sleep 0.1
  done
  fail "the auditor did not start"
}
end_audit() {
  kill -INT "$auditor"
  wait "$auditor" || fail "the auditor did not read to the end"
  auditor=
}

# block NUMBER PLATFORM
block() {
  local number=$1 platform=$2 part=$out/$1-$2 pinot broker server pass before
  echo "block $number: $platform ($(cut -d' ' -f1-3 /proc/loadavg) load)"
  up "$platform" &
  local starting=$!
  names+=("freshness-$$-$platform")
  up pinot
  wait "$starting" || fail "$platform did not start"
  pinot=$(field pinot admin)
  broker=$(field pinot service)
  server=$(field pinot 'processes.find(p => p.role == "pinot-server").pid')
  local stream=("--$platform" "$(field "$platform" service)") topic=("--$platform" "$(field "$platform" service)")
  [[ $platform == kafka ]] || topic+=(--pulsar-admin "$(field pulsar admin)")
  local prefix table
  make_table() {  # make_table NAME
    prefix=${platform}_$1_
    table=${prefix}products
    "$flow" pinot create --pinot "$pinot" "${stream[@]}" --topics products --prefix "$prefix" >/dev/null
  }

  "$load" publish "${topic[@]}" --level "$level" --partitions $partitions --events 0
  make_table fresh
  audit "${topic[@]}" --records "$part.records"
  "$load" publish "${topic[@]}" --level "$level" --events $((warm_up + measured)) \
    --per-second $per_second >"$part-load.json"
  "$load" fill --broker "$broker" --table "$table" --rows $((warm_up + measured)) >/dev/null
  end_audit
  "$load" rows --broker "$broker" --table "$table" --records "$part.records" \
    --first $((warm_up + 1)) --last $((warm_up + measured)) >"$part-rows.csv"
  rm "$part.records"
  "$flow" pinot drop --pinot "$pinot" "$table" >/dev/null

  "$load" publish "${topic[@]}" --level "$level" --events $full --first 1000001 >"$part-full.json"
  for pass in warm1 warm2 1 2 3; do
    before=$(ticks_of "$server")
    make_table "full$pass"
    "$load" fill --broker "$broker" --table "$table" --rows $((warm_up + measured + full)) \
      >"$part-fill-$pass.json"
    awk -v ticks=$(($(ticks_of "$server") - before)) -v hz="$(getconf CLK_TCK)" \
      'BEGIN { printf "{\"cpu_seconds\": %.2f}\n", ticks / hz }' >"$part-cpu-$pass.json"
    "$flow" pinot drop --pinot "$pinot" "$table" >/dev/null
  done
  "$flow" down "freshness-$$-pinot" >/dev/null
  "$flow" down "freshness-$$-$platform" >/dev/null
  names=()
}

number=0
for letter in $blocks; do
  number=$((number + 1))
  if [[ $letter == K ]]; then block $number kafka; else block $number pulsar; fi
done
if [[ $is_probed == 1 ]]; then
  echo "a trial of each platform, for the probe"
  "$flow" run "$here/freshness.yaml" --results "$out/run" >"$out/run.log" 2>&1 || [[ $? == 1 ]] ||
    fail "the trials failed: $out/run.log"
fi
node "$here/freshness.mjs" "$out"
