#!/usr/bin/env bash
# Flow's generator beside wrk (Debian package wrk), against the same null server in the same run:
# processor time per request and the rate that one thread sustains. wrk is a closed loop and sends
# as fast as it is answered; Flow is told a rate and keeps it, waking up for every request.
#   loadtest/bench/peers/loadtest.sh BUILD_FOLDER [SECONDS]
# SPDX-License-Identifier: Apache-2.0
set -euo pipefail
build=${1:?usage: loadtest.sh BUILD_FOLDER [SECONDS]}
seconds=${2:-5}
peer=$build/loadtest/loadtest_peer
[ -x "$peer" ] || { echo "$peer is missing: ninja -C $build loadtest_peer" >&2; exit 2; }
command -v wrk > /dev/null || { echo "wrk is missing: apt-get install wrk" >&2; exit 2; }

coproc server { exec "$peer" serve; }
read -r url <&"${server[0]}"
# Its end of input ends the server.
close_server() { eval "exec ${server[1]}>&-"; }
trap close_server EXIT

TIMEFORMAT='%U %S'
wrk_cpu=$( { time wrk -t1 -c32 -d"${seconds}s" "$url/" > "/tmp/wrk.$$" ; } 2>&1 )
wrk_requests=$(awk '/requests in/ {print $1}' "/tmp/wrk.$$")
rm -f "/tmp/wrk.$$"
echo "wrk $wrk_requests requests, cpu (user system) $wrk_cpu s" |
  awk -v s="$seconds" '{printf "wrk:  %8.0f/s closed, %6.2f us of processor time per request\n", $2 / s, ($7 + $8) * 1e6 / $2}'
wrk_us=$(echo "$wrk_cpu" | awk -v n="$wrk_requests" '{print ($1 + $2) * 1e6 / n}')
for rate in 300 2000 20000 40000; do
  "$peer" send "$url" "$rate" "$seconds" 512 |
    awk -v rate="$rate" -v wrk="$wrk_us" -F '[:,}]' '{
      printf "flow: %8.0f/s of %d/s asked, %6.2f us per request (%.2f x wrk), start error p99 %s us, response p99 %s us\n",
        $4, rate, $6, $6 / wrk, $10, $12}'
done
