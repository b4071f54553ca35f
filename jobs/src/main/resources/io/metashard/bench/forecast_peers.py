"""Forecasts a trace from the same origins by Prophet, AutoETS and LightGBM, and scores them beside ours.

Run by `jobs/metashard bench forecast --peers`; by itself: forecast_peers.py --self-check (needs numpy only).

A trace is a folder with demand.parquet (object_id, segment, bucket_start, requests), backtest.json (bucket_seconds,
first_bucket, end, test_from, origins by horizon, segments) and possibly objects.parquet (object_id, segments, modified_at). A
method is given the counts of the buckets before an origin, as an array of its own, and nothing after it.
"""

import argparse
import json
import os
import re
import sys
import time

import numpy as np

SMOOTHINGS = (1e-4, 0.001, 0.003, 0.01, 0.03, 0.06, 0.1, 0.2, 0.35, 0.5)
HALF_LIVES = (1, 2, 3, 6, 12, 24, 48, 96)
HOTTEST = 0.1
TRAINING_ROWS = 500_000


class Scorer:
    """Holds forecasts, an array of origins by segments, against what was requested.

    A share of each forecast is spread as all requests before the origin were (`long_run`): without it, one request for a
    segment that was forecast to get none would decide everything. Ours is given next to none, the others what suits them best
    on the very test.
    """

    def __init__(self, observed, long_run):
        self.observed = observed
        self.long_run = long_run

    def score(self, forecast, smoothing=SMOOTHINGS[0]):
        y = self.observed
        sums = forecast.sum(axis=1, keepdims=True)
        spread = np.where(sums > 0, sums, 1.0) * self.long_run
        smooth = (1 - smoothing) * forecast + smoothing * spread
        shares = smooth / smooth.sum(axis=1, keepdims=True)
        mean = np.maximum(smooth, 1e-9)
        requested = np.where(y > 0, y, 1.0)
        deviances = 2 * np.mean(np.where(y > 0, y * np.log(requested / mean), 0.0) - (y - mean), axis=1)
        hottest = max(1, round(HOTTEST * y.shape[1]))
        hit = best = 0.0
        for one, told in zip(y, forecast):
            hit += one[np.argsort(-told, kind="stable")[:hottest]].sum()
            best += np.sort(one)[::-1][:hottest].sum()
        return {
            "deviance": float(deviances.mean()),
            "deviances": deviances.tolist(),
            "wape": float(np.abs(forecast - y).sum() / y.sum()),
            "log_loss": float(-(y * np.log(shares)).sum() / y.sum()),
            "capture": float(hit / best),
        }

    def best(self, forecast):
        return min((self.score(forecast, s) for s in SMOOTHINGS), key=lambda s: s["deviance"])


def interval(deviances, first, rounds=10_000):
    """95 % interval of the ratio of two methods' deviances: origins drawn with replacement (Efron's percentile bootstrap)."""
    drawn = np.random.default_rng(1).integers(0, len(first), (rounds, len(first)))
    ratios = np.asarray(deviances)[drawn].sum(axis=1) / np.asarray(first)[drawn].sum(axis=1)
    return [float(q) for q in np.quantile(ratios, [0.025, 0.975])]


class Trace:
    """Counts per bucket and segment, and from where to forecast."""

    def __init__(self, folder, horizon):
        import pandas as pd

        with open(os.path.join(folder, "backtest.json")) as file:
            meta = json.load(file)
        demand = pd.read_parquet(os.path.join(folder, "demand.parquet"))
        self.step = int(meta["bucket_seconds"])
        self.per_day = max(1, 86400 // self.step)
        self.horizon = horizon
        self.first = pd.Timestamp(meta["first_bucket"])
        if self.first.tzinfo is None:
            self.first = self.first.tz_localize("UTC")
        self.buckets = self.bucket(meta["end"])
        self.origins = [self.bucket(origin) for origin in meta["origins"][str(horizon)]]
        self.test_from = self.bucket(meta["test_from"]) if "test_from" in meta else min(self.origins)
        keys = self.keys(demand)
        catalogue = os.path.join(folder, "objects.parquet")
        if os.path.exists(catalogue):
            objects = pd.read_parquet(catalogue)
            ids = [f"{o}#{k}" for o, n in zip(objects.object_id, objects.segments) for k in range(n)]
            born = self.buckets_since(objects.modified_at)
            self.born = np.repeat(born, objects.segments)
            datasets = {}
            of = [datasets.setdefault(re.sub("[0-9]+", "#", o), len(datasets)) for o in objects.object_id]
            self.dataset = np.repeat(np.array(of), objects.segments)
        else:
            ids = self.binned(keys, int(meta["segments"]))
            self.born = np.full(len(ids), -1.0)
            self.dataset = None
        self.column = {segment: i for i, segment in enumerate(ids)}
        self.counts = np.zeros((self.buckets, len(ids)))
        rows = np.floor(self.buckets_since(demand.bucket_start)).astype(int)
        columns = keys.map(self.column)
        known = columns.notna().values & (rows >= 0) & (rows < self.buckets)
        np.add.at(self.counts, (rows[known], columns[known].astype(int).values), demand.requests.values[known])

    @staticmethod
    def keys(rows):
        segment = rows.segment.astype(str) if "segment" in rows else "0"
        return rows.object_id + "#" + segment

    @staticmethod
    def binned(keys, segments):
        """The ids of a trace without a catalogue: all that the demand names, and as many more as were never requested."""
        name = keys.iloc[0].split("/")[0]
        ids = [f"{name}/s{i:04d}#0" for i in range(segments)]
        named = set(keys)
        if not named <= set(ids):
            ids = sorted(named) + [f"never requested {i}" for i in range(segments - len(named))]
        return ids

    def bucket(self, moment):
        import pandas as pd

        at = pd.Timestamp(moment)
        return int(((at if at.tzinfo else at.tz_localize("UTC")) - self.first).total_seconds() // self.step)

    def buckets_since(self, moments):
        import pandas as pd

        return ((pd.to_datetime(moments, utc=True) - self.first).dt.total_seconds() / self.step).values

    def before(self, origin):
        """All that a forecast from an origin may know: a copy, so that nothing else is within reach."""
        return self.counts[:origin].copy()

    def scorer(self):
        observed = np.stack(
            [self.counts[o : o + self.horizon].sum(axis=0) * (self.born < o) for o in self.origins]
        )
        long_run = np.stack([self.before(o).sum(axis=0) + 0.5 for o in self.origins])
        return Scorer(observed, long_run / long_run.sum(axis=1, keepdims=True))

    def forecasts(self, path):
        """Ours, as `backtest` wrote them."""
        import pandas as pd

        rows = pd.read_parquet(path)
        at = np.floor(self.buckets_since(rows.origin)).astype(int)
        place = {origin: i for i, origin in enumerate(self.origins)}
        missing = set(place) - set(at)
        if missing:
            sys.exit(f"Cannot score {path}: {len(missing)} of {len(place)} origins are missing")
        told = rows.expected_requests.values
        if not np.isfinite(told).all() or (told < 0).any():
            sys.exit(f"Cannot score {path}: forecasts must be finite and not negative")
        columns = self.keys(rows).map(self.column)
        known = columns.notna().values & np.isin(at, self.origins)
        forecast = np.zeros((len(self.origins), len(self.column)))
        rows_of = np.array([place[o] for o in at[known]], dtype=int)
        np.add.at(forecast, (rows_of, columns[known].astype(int).values), told[known])
        return forecast


def ewma(past, half_life):
    """The exponentially weighted mean count of a bucket, per segment."""
    ages = np.arange(len(past))[::-1]
    weights = 0.5 ** (ages / half_life)
    return weights @ past / max(weights.sum(), 1e-12)


def seasonal_naive(past, horizon, per_day):
    """What the same buckets of the newest whole days before brought; where there is no day before, nothing."""
    end = len(past)
    back = (end - per_day * -(-(i + 1) // per_day) + i for i in range(horizon))
    return sum((past[b] for b in back if b >= 0), np.zeros(past.shape[1]))


def share_half_life(trace):
    """The half-life whose shares have the least log-loss on the windows before the test."""
    past = trace.before(trace.test_from)
    starts = range(trace.test_from - trace.horizon, trace.per_day, -trace.horizon)
    if not starts:
        return trace.per_day
    losses = {half_life: 0.0 for half_life in HALF_LIVES}
    for start in starts[:14]:
        y = past[start : start + trace.horizon].sum(axis=0)
        for half_life in losses:
            share = ewma(past[:start], half_life) + 1e-6
            losses[half_life] -= (y * np.log(share / share.sum())).sum()
    return min(losses, key=losses.get)


def prophet_sum(task):
    """The sum over the horizon that Prophet, as it comes, forecasts for one series."""
    import logging

    import pandas as pd

    logging.disable(logging.ERROR)  # of each fit, and of plots that nobody asks for
    from prophet import Prophet

    series, start, step, horizon = task
    times = pd.date_range(start, periods=len(series) + horizon, freq=pd.Timedelta(seconds=step))
    model = Prophet(uncertainty_samples=0)
    model.fit(pd.DataFrame({"ds": times[: len(series)], "y": series}))
    told = model.predict(pd.DataFrame({"ds": times[len(series) :]})).yhat.values
    return max(0.0, float(np.maximum(told, 0).sum()))


def ets_sum(task):
    """The same by AutoETS, with a season of a day where there are three days."""
    from statsforecast.models import AutoETS

    series, per_day, horizon = task
    season = per_day if len(series) >= 3 * per_day else 1
    told = AutoETS(season_length=season).forecast(y=np.asarray(series, dtype=np.float64), h=horizon)["mean"]
    return float(np.maximum(np.nan_to_num(told), 0).sum())


def timed(one, task):
    """What a task gives, and the CPU seconds of its process that it took."""
    start = time.process_time()
    told = one(task)
    return told, time.process_time() - start


class PerSeries:
    """A method for one series: of the total, which shares divide, or of the hottest segments one by one as well."""

    def __init__(self, trace, pool, one, task, half_life, top):
        self.trace, self.pool, self.one, self.task, self.half_life, self.top = trace, pool, one, task, half_life, top
        self.pool_cpu_seconds = 0.0

    def __call__(self, past, origin):
        share = ewma(past, self.half_life) * (self.trace.born < origin)
        share = share / max(share.sum(), 1e-12)
        hottest = np.argsort(-share, kind="stable")[: self.top]
        series = [past.sum(axis=1)] + [past[:, s] for s in hottest]
        told = list(self.pool.map(timed, [self.one] * len(series), [self.task(one) for one in series]))
        self.pool_cpu_seconds += sum(seconds for _, seconds in told)
        forecast = told[0][0] * share
        forecast[hottest] = [value for value, _ in told[1:]]
        return forecast


class LightGbm:
    """One model of all segments: Poisson regression on lags, trained anew at each origin."""

    def __init__(self, trace, cores):
        self.trace, self.cores = trace, cores

    def features(self, sums, at, segments):
        """What is known of segments at a bucket; `sums` are running sums of the counts, one row more than buckets."""
        h, day = self.trace.horizon, self.trace.per_day

        def between(first, end):
            return (sums[max(0, end)] - sums[max(0, min(first, end))])[segments]

        windows = [*sorted({1, 3, h, 2 * h, day, 2 * day, 7 * day}), self.trace.buckets]
        columns = [np.log1p(between(at - w, at)) for w in windows]
        columns += [np.log1p(between(at - back, at - back + h)) for back in (day, 7 * day) if back >= h]
        total = np.log1p((sums[at] - sums[max(0, at - day)]).sum())
        columns.append(np.full(len(segments), total))
        seconds = self.trace.first.timestamp() + at * self.trace.step
        columns.append(np.full(len(segments), seconds % 86400))
        columns.append(np.full(len(segments), seconds // 86400 % 7))
        if self.trace.dataset is not None:
            columns.append(at - self.trace.born[segments])
            columns.append(self.trace.dataset[segments])
        return np.column_stack(columns)

    def __call__(self, past, origin):
        import lightgbm

        h = self.trace.horizon
        sums = np.vstack([np.zeros(past.shape[1]), past.cumsum(axis=0)])
        most = max(4, TRAINING_ROWS // past.shape[1])
        stride = max(1, min(h, self.trace.per_day))
        starts = list(range(origin - h, min(self.trace.per_day, origin - h - 1), -stride))[: min(60, most)]
        rows, targets = [], []
        for at in starts:
            segments = np.flatnonzero(self.trace.born < at)
            rows.append(self.features(sums, at, segments))
            targets.append((sums[at + h] - sums[at])[segments])
        if not rows:
            sys.exit(f"Cannot train LightGBM: bucket {origin} has no {h} buckets and a day before it; choose later origins")
        dataset = rows[0].shape[1] - 1
        data = lightgbm.Dataset(
            np.vstack(rows),
            np.concatenate(targets),
            categorical_feature=[dataset] if self.trace.dataset is not None else "auto",
        )
        options = dict(objective="poisson", learning_rate=0.05, num_leaves=31, min_data_in_leaf=20)
        options.update(num_threads=self.cores, seed=1, deterministic=True, force_row_wise=True, verbose=-1)
        model = lightgbm.train(options, data, num_boost_round=200)
        segments = np.flatnonzero(self.trace.born < origin)
        forecast = np.zeros(past.shape[1])
        forecast[segments] = np.maximum(model.predict(self.features(sums, origin, segments)), 0)
        return forecast


def measured(trace, method):
    """Forecasts from all origins, and the seconds and CPU seconds they took."""
    start, cpu_start = time.monotonic(), time.process_time()
    forecast = np.stack([method(trace.before(origin), origin) for origin in trace.origins])
    cpu_seconds = time.process_time() - cpu_start + getattr(method, "pool_cpu_seconds", 0.0)
    return forecast, (time.monotonic() - start, cpu_seconds)


def tell(message):
    print(message, file=sys.stderr, flush=True)


def compare(options):
    # Threads that wait for each other by spinning take the cores from whom they wait for.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    trace = Trace(options.trace, options.horizon)
    scorer = trace.scorer()
    half_life = share_half_life(trace)
    methods = []

    def add(name, score, took=(None, None)):
        ratio = interval(score["deviances"], (methods[0] if methods else score)["deviances"])
        methods.append({"method": name, **score, "interval": ratio, "seconds": took[0], "cpu_seconds": took[1]})
        tell(f"{name}: deviance {score['deviance']:.4f}" + (f", {took[0]:.1f} s" if took[0] is not None else ""))

    tell(f"{len(trace.origins)} origins, {len(trace.column)} segments; a method sees the buckets before an origin only")
    add("Metashard", scorer.score(trace.forecasts(options.forecasts)), (options.seconds, options.cpu_seconds))
    naive, _ = measured(trace, lambda past, origin: seasonal_naive(past, trace.horizon, trace.per_day))
    add("seasonal-naive", scorer.best(naive))
    smooth = {
        h: scorer.best(measured(trace, lambda past, origin: ewma(past, h) * trace.horizon)[0]) for h in HALF_LIVES
    }
    best = min(smooth, key=lambda h: smooth[h]["deviance"])
    add(f"EWMA (half-life {best}, best on the test itself)", smooth[best])
    with ProcessPoolExecutor(options.cores, mp_context=get_context("spawn")) as pool:
        start = trace.first.tz_localize(None)
        tasks = {
            "Prophet": (prophet_sum, lambda series: (series, start, trace.step, trace.horizon)),
            "AutoETS": (ets_sum, lambda series: (series, trace.per_day, trace.horizon)),
        }
        for name, (one, task) in tasks.items():
            # Imports and compilation of the libraries are not the method's.
            warm = np.random.default_rng(1).poisson(5, 8 * trace.per_day).astype(float)
            list(pool.map(one, [task(warm)] * 2 * options.cores))
            for top, words in ((0, "total, divided by EWMA shares"), (options.top, f"{options.top} series one by one")):
                forecast, took = measured(trace, PerSeries(trace, pool, one, task, half_life, top))
                add(f"{name}, {words}", scorer.best(forecast), took)
    import lightgbm  # noqa: F401 its import is not the method's time

    forecast, took = measured(trace, LightGbm(trace, options.cores))
    add("LightGBM, one Poisson model of all segments", scorer.best(forecast), took)
    with open(options.out, "w") as file:
        json.dump({"origins": len(trace.origins), "segments": len(trace.column), "methods": methods}, file)


def self_check():
    """Figures worked out by hand, and a future that changes nothing."""
    y, forecast = np.array([[3.0, 1.0]]), np.array([[2.0, 2.0]])
    scorer = Scorer(y, np.array([[0.25, 0.75]]))
    plain = scorer.score(forecast, 0.0)
    # 2 * ((3 ln(3/2) - 1) + (1 ln(1/2) + 1)) / 2; |2-3| + |2-1| of 4; ln 2; the first of two equals is the hotter one.
    hand = {"deviance": 0.523248, "wape": 0.5, "log_loss": 0.693147, "capture": 1.0}
    for name, value in hand.items():
        assert abs(plain[name] - value) < 1e-6, (name, plain[name], value)
    # Half of each forecast spread as 1 to 3: 1.5 and 2.5, shares 0.375 and 0.625.
    smooth = scorer.score(forecast, 0.5)
    assert abs(smooth["log_loss"] - (3 * np.log(1 / 0.375) + np.log(1 / 0.625)) / 4) < 1e-12, smooth
    assert abs(smooth["deviance"] - (3 * np.log(2.0) - 1.5 + np.log(0.4) + 1.5)) < 1e-12, smooth
    assert smooth["wape"] == plain["wape"] and smooth["capture"] == plain["capture"]
    assert scorer.best(forecast)["deviance"] <= min(plain["deviance"], smooth["deviance"]) + 1e-3
    assert interval([2.0, 6.0], [1.0, 3.0]) == [2.0, 2.0]
    low, high = interval([1.0, 3.0], [1.0, 1.0])
    assert low == 1.0 and high == 3.0, (low, high)
    worst = scorer.score(np.array([[0.0, 4.0]]))
    assert abs(worst["capture"] - 1 / 3) < 1e-12 and worst["wape"] == 1.5, worst

    past = np.array([[1.0, 0.0], [2.0, 0.0], [4.0, 8.0]])
    # Ages 2, 1, 0 at a half-life of one bucket: weights 1/4, 1/2, 1.
    assert np.allclose(ewma(past, 1), [(0.25 + 1 + 4) / 1.75, 8 / 1.75])
    assert seasonal_naive(past, 2, 2).tolist() == [6.0, 8.0]
    assert seasonal_naive(past, 3, 2).tolist() == [8.0, 8.0]

    counts = np.random.default_rng(1).poisson(2, (40, 3)).astype(float)
    trace = Trace.__new__(Trace)
    trace.counts = counts
    before = [ewma(trace.before(30), 3), seasonal_naive(trace.before(30), 4, 10)]
    trace.before(30)[:] = -1
    counts[30:] += 100
    after = [ewma(trace.before(30), 3), seasonal_naive(trace.before(30), 4, 10)]
    assert all(np.array_equal(one, other) for one, other in zip(before, after)), "the future was seen"
    print("ok")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--self-check", action="store_true", help="check the scores against figures worked out by hand")
    parser.add_argument("--trace", help="folder of the trace")
    parser.add_argument("--horizon", type=int, help="buckets ahead")
    parser.add_argument("--forecasts", help="Parquet that backtest wrote")
    parser.add_argument("--seconds", type=float, help="that it took")
    parser.add_argument("--cpu-seconds", type=float, help="of CPU")
    parser.add_argument("--top", type=int, default=20, help="series fitted one by one")
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--out", help="scores, as JSON")
    options = parser.parse_args()
    if options.self_check:
        self_check()
    elif None in (
        options.trace, options.horizon, options.forecasts, options.seconds, options.cpu_seconds, options.out
    ):
        parser.error("--trace, --horizon, --forecasts, --seconds, --cpu-seconds and --out are needed")
    else:
        compare(options)


if __name__ == "__main__":
    main()
