#!/usr/bin/env python3
# An independent implementation of the schedule, in plain Python (IEEE doubles too). Prints the hashes that
# schedule_test.cpp pins: python3 traffic/tests/golden/schedule.py
# SPDX-License-Identifier: Apache-2.0
import math

MASK = (1 << 64) - 1


class SplitMix64:
    def __init__(self, seed):
        self.state = seed & MASK

    def next(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return z ^ (z >> 31)

    def unit(self):
        return (self.next() >> 11) * 2.0**-53


def derive_seed(seed, purpose):
    mixer = SplitMix64(seed ^ ((purpose * 0xD1B54A32D192ED03) & MASK))
    mixer.next()
    return mixer.next()


def cascade(bias, levels, total, coin):
    if levels == 0:
        return [total]
    heads = coin.next() >> 63
    left = total * bias if heads else total * (1 - bias)
    return cascade(bias, levels - 1, left, coin) + cascade(bias, levels - 1, total - left, coin)


def whole(volumes):
    counts, cumulative, before = [], 0.0, 0
    for volume in volumes:
        cumulative += volume
        until = math.floor(cumulative + 0.5)
        counts.append(until - before)
        before = until
    return counts


def fnv(values):
    value = 0xCBF29CE484222325
    for number in values:
        for byte in number.to_bytes(8, "little"):
            value = ((value ^ byte) * 0x100000001B3) & MASK
    return value


def schedule(bias, levels, tick_ns, total, placement, seed):
    volumes = cascade(bias, levels, float(total), SplitMix64(seed))
    counts = whole(volumes)
    random = SplitMix64(derive_seed(seed, 1))
    intended, sent, k = [], 0.0, 0
    for i, (volume, count) in enumerate(zip(volumes, counts)):
        if placement == "uniform":
            shares = [random.unit() for _ in range(count)]
        else:
            shares = [(k + n + 0.5 - sent) / volume for n in range(count)]
        at = [i * tick_ns + min(max(int(share * float(tick_ns)), 0), tick_ns - 1) for share in shares]
        intended += sorted(at)
        sent += volume
        k += count
    return counts, intended


for placement in ("uniform", "even"):
    counts, intended = schedule(0.705, 5, 10**9, 9600, placement, 1)
    print(placement, f"{fnv(counts + intended):016x}", "busiest", max(counts))
