#!/usr/bin/env bash
# How fresh rows are and how fast a full topic is taken in: Pinot reads Kafka through its own plugin
# and Pulsar through Flow's, side by side in one run:
#   1. freshness, in blocks K P P K with servers of their own: 1,000 events/s, evenly placed, with the
#      bodies of the shop's products. After the warm-up every row counts: freshness, when the auditor
#      saw the event, and the plugin's own share (the difference)
#   2. ingestion, one Pinot with both platforms beside it: tables over topics that were full before, in
#      turn. The first passes warm up its JVM, and that of the broker; then rows/s, time until COUNT(*)
#      is complete, CPU time of Pinot's server. Each pass has a name of its own: Pinot 0.11 may end a new
#      table with an old one of its name that was just dropped
#   3. the probe's share of Pinot's CPU, from a trial of each platform
# Prints a table with limits.
#   bench/peers/freshness.sh [--blocks "K P P K"] [--passes "K P ..."] [--level NAME] [--out FOLDER] [--without-probe]
# Exit code: 0 every limit holds, 1 one does not, 2 a wrong argument, 3 a server or the machine failed.
# SPDX-License-Identifier: Apache-2.0
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
home=${here%/*/*}
flow=$home/build/release/flow
load=$home/build/release/bench/freshness_load

blocks="K P P K"
passes="K P P K K P P K K P P K K P P K"
level=fsync-1
out=
is_probed=1
while (($#)); do
  case $1 in
    --blocks | --passes | --level | --out)
      [[ $# -ge 2 ]] || { echo "flow: $1: expected a value" >&2; exit 2; }
      case $1 in --blocks) blocks=$2 ;; --passes) passes=$2 ;; --level) level=$2 ;; --out) out=$2 ;; esac
      shift 2
      ;;
    --without-probe) is_probed=0; shift ;;
    *) echo "flow: $1: expected --blocks, --passes, --level, --out or --without-probe" >&2; exit 2 ;;
  esac
done
for list in "$blocks" "$passes"; do
  [[ $list =~ ^[KP](\ [KP])*$ ]] || { echo "flow: '$list': expected K and P" >&2; exit 2; }
done

per_second=1000
warm_up=15000      # Events: 15 s.
measured=40000     # 40 s.
full=655000        # In a topic before its table is made.
warm_passes=8      # Four of each platform.
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

platform_of() { if [[ $1 == K ]]; then echo kafka; else echo pulsar; fi; }
# How the programs reach a platform: an array named by $2.
reach() {
  local -n found=$2
  found=("--$1" "$(field "$1" service)")
  [[ $1 == kafka || ${3:-} != admin ]] || found+=(--pulsar-admin "$(field pulsar admin)")
}
# Starts Pinot and these platforms.
up_with_pinot() {
  local platform starting=()
  for platform in "$@"; do
    up "$platform" &
    starting+=($!)
    names+=("freshness-$$-$platform")
  done
  up pinot
  local one
  for one in "${starting[@]}"; do wait "$one" || fail "a platform did not start"; done
}
down_all() {
  local name
  for name in "${names[@]}"; do "$flow" down "$name" >/dev/null; done
  names=()
}
# make_table PLATFORM NAME: its name in Pinot is in $table.
make_table() {
  local stream
  reach "$1" stream
  table=$1_$2_products
  "$flow" pinot create --pinot "$(field pinot admin)" "${stream[@]}" --topics products --prefix "$1_$2_" >/dev/null
}

# block NUMBER PLATFORM
block() {
  local number=$1 platform=$2 part=$out/$1-$2 broker topic table
  echo "block $number: $platform ($(cut -d' ' -f1-3 /proc/loadavg) load)"
  up_with_pinot "$platform"
  broker=$(field pinot service)
  reach "$platform" topic admin
  "$load" publish "${topic[@]}" --level "$level" --partitions $partitions --events 0
  make_table "$platform" fresh
  audit "${topic[@]}" --records "$part.records"
  "$load" publish "${topic[@]}" --level "$level" --events $((warm_up + measured)) \
    --per-second $per_second >"$part-load.json"
  "$load" fill --broker "$broker" --table "$table" --rows $((warm_up + measured)) >/dev/null
  end_audit
  "$load" rows --broker "$broker" --table "$table" --records "$part.records" \
    --first $((warm_up + 1)) --last $((warm_up + measured)) >"$part-rows.csv"
  rm "$part.records"
  down_all
}

ingestion() {
  echo "full topics ($(cut -d' ' -f1-3 /proc/loadavg) load)"
  up_with_pinot kafka pulsar
  local letter platform topic table server before part number=0
  server=$(field pinot 'processes.find(p => p.role == "pinot-server").pid')
  for platform in kafka pulsar; do
    reach "$platform" topic admin
    "$load" publish "${topic[@]}" --level "$level" --partitions $partitions --events 0
    "$load" publish "${topic[@]}" --level "$level" --events $full --first 1 >"$out/full-$platform.json"
  done
  for letter in $passes; do
    number=$((number + 1))
    platform=$(platform_of "$letter")
    part=$out/pass-$(printf %02d $number)-$platform
    ((number > warm_passes)) || part=$out/warm-$number-$platform
    before=$(ticks_of "$server")
    make_table "$platform" "full$number"
    "$load" fill --broker "$(field pinot service)" --table "$table" --rows $full >"$part-fill.json"
    awk -v ticks=$(($(ticks_of "$server") - before)) -v hz="$(getconf CLK_TCK)" \
      'BEGIN { printf "{\"cpu_seconds\": %.2f}\n", ticks / hz }' >"$part-cpu.json"
    "$flow" pinot drop --pinot "$(field pinot admin)" "$table" >/dev/null
  done
  down_all
}

number=0
for letter in $blocks; do
  number=$((number + 1))
  block $number "$(platform_of "$letter")"
done
ingestion
if [[ $is_probed == 1 ]]; then
  echo "a trial of each platform, for the probe"
  "$flow" run "$here/freshness.yaml" --results "$out/run" >"$out/run.log" 2>&1 || [[ $? == 1 ]] ||
    fail "the trials failed: $out/run.log"
fi
node "$here/freshness.mjs" "$out"
