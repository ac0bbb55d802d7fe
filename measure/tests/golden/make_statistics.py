#!/usr/bin/env python3
"""Writes statistics.json: what NumPy, SciPy, statsmodels and plain enumeration say about seeded data.

Run by hand when a case is added, in an environment of its own; the tests need only the JSON file:
    python3 -m venv env && env/bin/pip install numpy scipy statsmodels
    env/bin/python measure/tests/golden/make_statistics.py > measure/tests/golden/statistics.json
SPDX-License-Identifier: Apache-2.0
"""
import itertools
import json
import math
import sys
import warnings

import numpy as np
import scipy
import statsmodels
from scipy import stats
from scipy.stats import mstats
from statsmodels.stats.multitest import multipletests
from statsmodels.tsa.stattools import kpss

RANDOM = np.random.default_rng(20261123)
INFINITY = 1e300  # JSON has no infinity; the tests read this as one.


def signs_of(k):
    return np.array(list(itertools.product([-1, 1], repeat=k)))


def signed_rank_by_enumeration(d):
    """Pratt's zeros, mid-ranks, every sign of the others."""
    d = np.asarray(d, float)
    ranks = stats.rankdata(np.abs(d))
    positive, negative = ranks[d > 0].sum(), ranks[d < 0].sum()
    live = ranks[d != 0]
    if live.size == 0:
        return positive, negative, 1.0
    sums = ((signs_of(live.size) > 0) * live).sum(axis=1)
    p = min(1.0, 2 * np.mean(sums <= min(positive, negative) + 1e-9))
    return positive, negative, p


def walsh_averages(d):
    d = np.asarray(d, float)
    i, j = np.triu_indices(d.size)
    return np.sort((d[i] + d[j]) / 2)


def interval_by_inversion(d, confidence):
    """Ends of the set of shifts that the test does not reject: between neighbouring Walsh averages
    the p value is constant, so it is enough to look at their midpoints."""
    w = walsh_averages(d)
    alpha = 1 - confidence
    inner = [(low, high) for low, high in zip(w[:-1], w[1:])
             if stats.wilcoxon(np.asarray(d) - (low + high) / 2, method="exact").pvalue > alpha * (1 + 1e-12)]
    # p is constant between neighbours: the ends are the outermost averages next to an accepted gap.
    if stats.wilcoxon(np.asarray(d) - (w[0] - 1), method="exact").pvalue > alpha * (1 + 1e-12):
        return None
    return [inner[0][0], inner[-1][1]]


def paired_cases():
    for k in (7, 8, 9, 10, 12, 14):
        d = np.round(RANDOM.normal(0.05, 0.1, k), 6)
        exact = stats.wilcoxon(d, method="exact")
        flip = stats.permutation_test((d,), np.mean, permutation_type="samples", n_resamples=np.inf)
        t = stats.ttest_1samp(d, 0)
        positive, negative, _ = signed_rank_by_enumeration(d)
        low, high = t.confidence_interval(0.95)
        yield {"d": d.tolist(), "positive": positive, "negative": negative, "p": exact.pvalue,
               "estimate": float(np.median(walsh_averages(d))),
               "interval_90": interval_by_inversion(d, 0.90), "interval_95": interval_by_inversion(d, 0.95),
               "interval_9833": interval_by_inversion(d, 1 - 0.05 / 3),
               "flip_p": float(flip.pvalue), "mean": d.mean(), "sd": d.std(ddof=1), "t": float(t.statistic),
               "t_p": float(t.pvalue), "t_95": [low, high],
               "noise_floor": noise_floor(d) if k <= 12 else None}


def noise_floor(d):
    sizes = np.sort([abs(np.median(walsh_averages(signs * d))) for signs in signs_of(len(d))])
    widening = stats.t.ppf(0.975, len(d) - 1) / stats.norm.ppf(0.975)
    return sizes[math.ceil(0.95 * len(sizes)) - 1] * widening


def flip_by_enumeration(d):
    d = np.asarray(d, float)
    sums = signs_of(d.size) @ d
    return float(np.mean(np.abs(sums) >= abs(d.sum()) - 1e-12 * np.abs(d).sum()))


def tied_cases():
    for k in (4, 6, 8, 9, 10, 11):
        for _ in range(4):
            d = RANDOM.integers(-3, 6, k).astype(float)
            positive, negative, p = signed_rank_by_enumeration(d)
            yield {"d": d.tolist(), "positive": positive, "negative": negative, "p": p,
                   "flip_p": flip_by_enumeration(d), "estimate": float(np.median(walsh_averages(d)))}


def infinite_cases():
    """Infinite differences as very large ones, all of one size."""
    for plus, minus, k in ((1, 0, 8), (3, 0, 8), (1, 1, 9), (2, 1, 10), (0, 4, 7), (8, 0, 8)):
        d = np.round(RANDOM.normal(0.1, 0.1, k), 6)
        d[:plus] = INFINITY
        d[plus:plus + minus] = -INFINITY
        positive, negative, p = signed_rank_by_enumeration(np.clip(d, -1e6, 1e6))
        # 1e6: large against the rest, small enough for their sums to keep their digits.
        yield {"d": d.tolist(), "positive": positive, "negative": negative, "p": p,
               "flip_p": flip_by_enumeration(np.clip(d, -1e6, 1e6))}


def multiplicity_cases():
    for n in (1, 3, 6, 12):
        p = np.round(RANDOM.uniform(0, 1, n) ** 3, 6)
        if n > 3:
            p[1] = p[0]
        yield {"p": p.tolist(), "holm": multipletests(p, method="holm")[1].tolist(),
               "bh": multipletests(p, method="fdr_bh")[1].tolist()}


def rank_cases():
    for n, q, confidence in ((50, 0.5, 0.95), (200, 0.9, 0.95), (2000, 0.99, 0.9), (100000, 0.999, 0.95),
                             (1000000, 0.99, 0.99), (100, 0.99, 0.95), (10, 0.01, 0.95)):
        tail = (1 - confidence) / 2
        below = stats.binom.cdf(np.arange(n), n, q)  # P(X <= rank - 1) for rank 1 .. n
        above = stats.binom.sf(np.arange(n), n, q)   # P(X >= rank)
        lower = np.flatnonzero(below <= tail)
        upper = np.flatnonzero(above <= tail)
        yield {"n": n, "q": q, "confidence": confidence, "lower": int(lower[-1] + 1) if lower.size else 0,
               "upper": int(upper[0] + 1) if upper.size else 0}


def harrell_davis_cases():
    for n in (5, 30, 200):
        x = np.round(RANDOM.lognormal(0, 1, n), 6)
        q = [0.1, 0.5, 0.9, 0.99]
        yield {"x": x.tolist(), "q": q, "estimate": np.asarray(mstats.hdquantiles(x, prob=q)).tolist()}


def mser5(y):
    z = np.asarray(y)[:len(y) // 5 * 5].reshape(-1, 5).mean(axis=1)
    errors = [np.sum((z[d:] - z[d:].mean()) ** 2) / (len(z) - d) ** 2 for d in range(len(z) - 5)]
    return 5 * int(np.argmin(errors))


def series_cases():
    warnings.simplefilter("ignore")
    for n, shape in ((60, "noise"), (100, "decay"), (512, "walk"), (513, "trend")):
        noise = RANDOM.normal(0, 1, n)
        y = {"noise": noise, "decay": noise + 4 * np.exp(-np.arange(n) / 15), "walk": np.cumsum(noise),
             "trend": noise + 0.003 * np.arange(n)}[shape]
        y = np.round(y, 6)
        slope = stats.theilslopes(y, np.arange(n), 0.95)
        yield {"y": y.tolist(), "lags": int(4 * (n / 100) ** 0.25),
               "kpss_0": float(kpss(y, "c", nlags=0)[0]),
               "kpss": float(kpss(y, "c", nlags=int(4 * (n / 100) ** 0.25))[0]), "mser5": mser5(y),
               "slope": [slope.slope, slope.low_slope, slope.high_slope]}


def unpaired_cases():
    for n1, n2, ties in ((5, 7, False), (10, 10, False), (6, 9, True), (60, 80, False), (200, 150, True)):
        a, b = RANDOM.normal(0, 1, n1), RANDOM.normal(0.4, 1, n2)
        a, b = np.round(a, 1 if ties else 6), np.round(b, 1 if ties else 6)
        if n1 + n2 <= 40:
            p = exact_unpaired_p(a, b)
        else:
            p = stats.mannwhitneyu(b, a, method="asymptotic").pvalue
        yield {"a": a.tolist(), "b": b.tolist(), "u": stats.mannwhitneyu(b, a).statistic, "p": p,
               "shift": float(np.median(b[:, None] - a[None, :]))}


def exact_unpaired_p(a, b):
    """Every choice of len(b) of the ranks present."""
    ranks = stats.rankdata(np.concatenate([a, b]))
    sums = np.array([sum(c) for c in itertools.combinations(ranks, len(b))])
    return float(np.mean(np.abs(sums - sums.mean()) >= abs(ranks[len(a):].sum() - sums.mean()) - 1e-9))


def plan_cases():
    """The share of 40,000 seeded normal experiments that the exact test finds."""
    for k, alpha, effect in ((7, 0.05 / 3, 1.5), (8, 0.05, 1.0), (8, 0.05 / 3, 1.6), (10, 0.05 / 3, 1.2),
                             (12, 0.05 / 3, 0.9), (20, 0.05, 0.5)):
        critical = max(w for w in range(k * (k + 1) // 2 + 1) if 2 * exact_tail(k, w) <= alpha * (1 + 1e-12))
        d = RANDOM.normal(effect, 1, (40000, k))
        ranks = stats.rankdata(np.abs(d), axis=1)
        positive = np.where(d > 0, ranks, 0).sum(axis=1)
        found = np.minimum(positive, k * (k + 1) / 2 - positive) <= critical
        yield {"k": k, "alpha": alpha, "effect": effect, "power": float(found.mean())}


def exact_tail(k, w):
    """P(W <= w)."""
    ways = np.zeros(k * (k + 1) // 2 + 1)
    ways[0] = 1
    for rank in range(1, k + 1):
        ways[rank:] = ways[rank:] + ways[:-rank]
    return ways[:w + 1].sum() / 2 ** k


def variance_cases():
    hosts, runs, cycles = 5, 6, 4
    x = (RANDOM.normal(0, 3, (hosts, 1, 1)) + RANDOM.normal(0, 2, (hosts, runs, 1))
         + RANDOM.normal(0, 1, (hosts, runs, cycles)))
    x = np.round(x, 6)
    s1 = x.var(axis=2, ddof=1).mean()
    s2 = x.mean(axis=2).var(axis=1, ddof=1).mean()
    s3 = x.mean(axis=(1, 2)).var(ddof=1)
    t = [s1, s2 - s1 / cycles, s3 - s2 / runs]
    costs = [10.0, 100.0, 2000.0]
    best = [math.ceil(math.sqrt(costs[i + 1] / costs[i] * t[i] / t[i + 1])) for i in range(2)]
    yield {"x": x.ravel().tolist(), "repetitions": [cycles, runs, hosts], "of_means": [s1, s2, s3], "own": t,
           "costs": costs, "best": best}


def main():
    cases = {"versions": {"numpy": np.__version__, "scipy": scipy.__version__, "statsmodels": statsmodels.__version__},
             "paired": list(paired_cases()), "tied": list(tied_cases()), "infinite": list(infinite_cases()),
             "multiplicity": list(multiplicity_cases()), "ranks": list(rank_cases()),
             "harrell_davis": list(harrell_davis_cases()), "series": list(series_cases()),
             "unpaired": list(unpaired_cases()), "plan": list(plan_cases()), "variance": list(variance_cases())}
    # One case per line.
    parts = []
    for name, value in cases.items():
        lines = ([json.dumps(case, default=float) for case in value] if isinstance(value, list)
                 else [json.dumps(value)])
        body = ",\n    ".join(lines)
        parts.append(f'  "{name}": ' + (f"[\n    {body}]" if isinstance(value, list) else body))
    sys.stdout.write("{\n" + ",\n".join(parts) + "\n}\n")


if __name__ == "__main__":
    main()
