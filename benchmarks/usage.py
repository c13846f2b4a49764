"""What watching usage costs a program: CPU time of pyperformance-like work with and without it, in one run.

    python benchmarks/usage.py [ROUNDS]

The kernels are those of the Python Performance Benchmark Suite in small (richards, deltablue's dispatch, nbody,
fannkuch, json, regex, string building, generators), written into a package of their own, so that each function of
theirs is watched.
Each figure is the median over rounds of the ratio with/without, with and without interleaved; process CPU, so that the
sampler's own thread counts too. `spread` is half the distance of the quartiles: what cannot be told from noise.
The bar: at most 1 % on Python 3.12 and newer, 3 % on 3.11.
"""

import importlib
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import tellback

SECONDS = 0.25  # of CPU for one kernel in one measurement

KERNELS = '''
import itertools
import json
import math
import re

class Task:
    __slots__ = ("name", "count", "next", "state")
    def __init__(self, name, next_):
        self.name, self.count, self.next, self.state = name, 0, next_, 0
    def is_held(self):
        return self.state == 3
    def step(self):
        self.count += 1
        self.state = (self.state + 1) & 3
        return self if self.is_held() else self.next

def dispatch():
    """richards, deltablue: many small methods."""
    task = None
    for n in range(8):
        task = Task(str(n), task)
    for _ in range(4000):
        current = task
        while current is not None:
            current = current.step() if not current.is_held() else current.next

def energy(bodies):
    e = 0.0
    for (x1, y1, z1, m1), (x2, y2, z2, m2) in itertools.combinations(bodies, 2):
        dx, dy, dz = x1 - x2, y1 - y2, z1 - z2
        e -= m1 * m2 / math.sqrt(dx * dx + dy * dy + dz * dz)
    return e

def nbody():
    bodies = [(n * 1.1, n * 0.7 + 1, n * n * 0.3, 1.0 + n) for n in range(5)]
    for _ in range(2500):
        energy(bodies)

def fannkuch(n=7):
    best = 0
    for perm in itertools.permutations(range(n)):
        work, flips = list(perm), 0
        while work[0]:
            k = work[0] + 1
            work[:k] = work[:k][::-1]
            flips += 1
        best = max(best, flips)
    return best

DATA = {"rows": [{"id": n, "name": "rig" * 3, "values": [n, n / 3, None, True]} for n in range(200)]}

def jsons():
    for _ in range(30):
        json.loads(json.dumps(DATA))

WORDS = re.compile(r"(\\w+)@(\\w+)\\.(com|org)")
TEXT = "guido@python.org and someone at home, " * 300

def regexes():
    for _ in range(30):
        WORDS.sub(r"\\2 \\1", TEXT)

def tree(n):
    if n:
        yield from tree(n - 1)
        yield n
        yield from tree(n - 1)

def generators():
    return sum(tree(13))

def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)

def recursion():
    return fib(20)

def strings():
    return len("".join(str(n) + "," for n in range(30000)).split(","))
'''
NAMES = ("dispatch", "nbody", "fannkuch", "jsons", "regexes", "generators", "recursion", "strings")


def cpu(work: Callable[[], object], times: int) -> float:
    begin = time.process_time()
    for _ in range(times):
        work()
    return time.process_time() - begin


def measure(kernels: ModuleType, rounds: int, watch: Callable[[], None]) -> dict[str, list[float]]:
    times = {name: max(1, round(SECONDS / cpu(getattr(kernels, name), 1))) for name in NAMES}
    ratios: dict[str, list[float]] = {name: [] for name in NAMES}
    for round_ in range(rounds):
        for name in NAMES:
            work = getattr(kernels, name)
            figures = {}
            for watched in (True, False) if round_ % 2 else (False, True):
                if watched:
                    watch()
                    work()  # the first call is what pays; it is measured on its own
                figures[watched] = cpu(work, times[name])
                tellback.usage.stop()
            ratios[name].append(figures[True] / figures[False] - 1)
    return ratios


def table(title: str, ratios: dict[str, list[float]]) -> None:
    print(title)
    for name in NAMES:
        low, middle, high = statistics.quantiles(ratios[name], n=4)
        print(f"  {name:12} {middle * 100:+7.2f} %   spread {(high - low) * 50:5.2f} %")
    every = [ratio for values in ratios.values() for ratio in values]
    print(f"  {'all':12} {statistics.median(every) * 100:+7.2f} %   mean {statistics.fmean(every) * 100:+.2f} %")


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder) / "watched_by_benchmark"
        package.mkdir()
        (package / "__init__.py").write_text(KERNELS)
        sys.path.insert(0, folder)
        kernels = importlib.import_module(package.name)
        tellback.init("bench", spool=Path(folder) / "spool")
        how = "sys.monitoring" if hasattr(sys, "monitoring") else "sampler"
        print(f"Python {sys.version.split()[0]}, usage by {how}, {rounds} rounds")
        tellback.usage.start([package.name])  # tells the inventory, which later starts then need not
        time.sleep(2)
        tellback.usage.stop()
        table("nothing watched (control)", measure(kernels, rounds, lambda: None))
        table("usage", measure(kernels, rounds, lambda: tellback.usage.start([package.name])))
        table("usage + hotspots", measure(kernels, rounds, lambda: tellback.usage.start([package.name], hotspots=True)))
        if how == "sampler":
            print("sys.monitoring: unmeasured; this needs to run on Python 3.12 or newer.")
        tellback.close(0)


if __name__ == "__main__":
    main()
