"""What a captured exception costs the host: thread CPU per call, beside sentry-sdk, in one run.

    python benchmarks/errors.py [ROUNDS]

Both take the same exceptions, of three frames with locals, and bring the last records along (ten, or up to a hundred
breadcrumbs; sentry-sdk is also shown without any). Sentry's transport throws
away what it is given, so that only what the caller pays for is measured. Each line is the median of interleaved
rounds. Needs sentry-sdk (requirements/bench.txt).
"""

import statistics
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sentry_sdk
from sentry_sdk.transport import Transport

import tellback

CALLS = 50


class Nowhere(Transport):
    """Takes an envelope and drops it."""

    def capture_envelope(self, envelope: Any) -> None:
        pass


def failures(count: int) -> list[Exception]:
    def inner(shot: str, frame: int) -> None:
        raise ValueError(f"no {shot} at {frame}")

    def outer(n: int) -> None:
        inner("sq10", n)

    out: list[Exception] = []
    for n in range(count):
        try:
            outer(n)
        except ValueError as error:
            out.append(error)
    return out


def per_call(work: Callable[[int], object]) -> float:
    """CPU of the calls alone; before each of them a few other records are made, as in life."""
    spent = 0
    for n in range(CALLS):
        for step in range(3):
            tellback.event("step", n=step)
            sentry_sdk.add_breadcrumb(category="step", data={"n": step})
        begin = time.thread_time_ns()
        work(n)
        spent += time.thread_time_ns() - begin
    return spent / CALLS


def bare(error: Exception) -> None:
    sentry_sdk.get_isolation_scope().clear_breadcrumbs()
    sentry_sdk.capture_exception(error)


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    sentry_sdk.init(dsn="http://0123456789abcdef@127.0.0.1:1/1", transport=Nowhere)
    pool: list[Exception] = []
    cases: dict[str, Callable[[int], object]] = {
        "tellback.capture": lambda n: tellback.capture(pool[n]),
        'tellback.report("the rig popped")': lambda n: tellback.report("the rig popped"),
        "sentry_sdk.capture_exception": lambda n: sentry_sdk.capture_exception(pool[n]),
        "  the same without breadcrumbs": lambda n: bare(pool[n]),
        "nothing (control)": lambda n: None,
        "traceback.format_exception": lambda n: traceback.format_exception(pool[n]),
    }
    times: dict[str, list[float]] = {name: [] for name in cases}
    with tempfile.TemporaryDirectory() as folder:
        tellback.init("bench", spool=Path(folder) / "spool", hooks=False)
        with tellback.bound(user="guido", shot="sq10"):
            for _ in range(rounds):
                for name, work in cases.items():
                    pool[:] = failures(CALLS)
                    times[name].append(per_call(work))
        tellback.close(0)
    medians = {name: statistics.median(values) for name, values in times.items()}
    for name, value in medians.items():
        print(f"{name:36} {value:12,.0f} ns")
    print(f"sentry / tellback {medians['sentry_sdk.capture_exception'] / medians['tellback.capture']:.1f}")


if __name__ == "__main__":
    main()
