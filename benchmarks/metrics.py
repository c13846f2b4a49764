"""What a count and a measurement cost the host: thread CPU per call, beside prometheus_client, in one run.

    python benchmarks/metrics.py [ROUNDS]

Each line is the median of interleaved rounds, so that what else the machine does falls on all alike. Needs
prometheus_client. Its histogram has its ten default buckets and knows a quantile as well as they happen to fit; ours
has as many as the values need and knows every quantile to 0.54 %.
"""

import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence

import prometheus_client

import tellback

CALLS = 5_000
BARS = {"counter": 2.0, "histogram": 1.5}


def per_call(work: Callable[[float], object], values: Sequence[float]) -> float:
    begin = time.thread_time_ns()
    for value in values:
        work(value)
    return (time.thread_time_ns() - begin) / len(values)


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    with tempfile.TemporaryDirectory() as folder:
        tellback.init("bench", spool=folder)
        reqs, latency = tellback.counter("reqs"), tellback.histogram("latency", unit="s")
        queue, timed = tellback.gauge("queue"), tellback.timer("block")
        their_reqs = prometheus_client.Counter("reqs", "Requests.")
        their_labelled = prometheus_client.Counter("reqs_by", "Requests.", ["route", "status"])
        their_latency = prometheus_client.Histogram("latency", "Seconds.")
        their_queue = prometheus_client.Gauge("queue", "Length.")

        def block(_: float) -> None:
            with timed:
                pass

        def their_block(_: float) -> None:
            with their_latency.time():
                pass

        rows: dict[str, Callable[[float], object]] = {
            "empty call (control)": lambda v: None,
            "counter: tellback": lambda v: reqs.add(),
            "counter: prometheus_client": lambda v: their_reqs.inc(),
            "histogram: tellback": lambda v: latency.record(v),
            "histogram: prometheus_client": lambda v: their_latency.observe(v),
            "gauge: tellback": lambda v: queue.set(v),
            "gauge: prometheus_client": lambda v: their_queue.set(v),
            "counter, two labels: tellback": lambda v: reqs.add(route="/shots", status="200"),
            "counter, two labels: prometheus_client": lambda v: their_labelled.labels("/shots", "200").inc(),
            "timed block: tellback": block,
            "timed block: prometheus_client": their_block,
        }
        chance = random.Random(7)
        values = [chance.lognormvariate(-3, 1) for _ in range(CALLS)]
        times: dict[str, list[float]] = {name: [] for name in rows}
        for turn in range(rounds + 1):
            for name, work in rows.items():
                took = per_call(work, values)
                if turn:  # the first one makes the slots
                    times[name].append(took)
        median = {name: statistics.median(all_) for name, all_ in times.items()}
        for name, took in median.items():
            print(f"{name:44}{took:8,.0f} ns")
        for kind, bar in BARS.items():
            ratio = median[f"{kind}: prometheus_client"] / median[f"{kind}: tellback"]
            print(f"{kind}: 1/{ratio:.2f} of prometheus_client (bar: 1/{bar:g})")
        tellback.close(0)


if __name__ == "__main__":
    main()
