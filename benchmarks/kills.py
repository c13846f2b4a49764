"""What is lost, and what is there twice, when a client is killed by SIGKILL at a random moment.

    python benchmarks/kills.py [KILLS] [--seconds MOST]

A program records in a tight loop with 1 and with 4 threads; each call that has returned is noted in a mapped file,
which outlives the program as its records must. After each kill the spool is read by docs/spec/spool.md. `in flight` are
records that were taken by a call that had not yet returned: at most one for each thread. Ends early after MOST seconds.
"""

import argparse
import json
import mmap
import os
import random
import shutil
import signal
import struct
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import tellback


@dataclass
class Tally:
    kills: int = 0
    returned: int = 0
    found: int = 0
    lost: int = 0
    twice: int = 0
    in_flight: int = 0
    torn: int = 0


def host(spool: Path, told: Path, threads: int) -> None:
    """Records until it is killed."""
    with told.open("r+b") as file:
        # One store for each number: a kill may not leave half of one.
        returned = memoryview(mmap.mmap(file.fileno(), 8 * threads)).cast("q")
    tellback.init("kills", spool=spool)

    def work(who: int) -> None:
        n = 0
        while True:
            tellback.event("e", who=who, n=n, path="/shots/sq10/rig.ma", ok=True)
            n += 1
            returned[who] = n

    for who in range(1, threads):
        threading.Thread(target=work, args=(who,), daemon=True).start()
    work(0)


def lines(path: Path) -> tuple[list[bytes], bool]:
    """Whole lines of a segment without its first, and whether a torn one follows."""
    data = path.read_bytes().split(b"\0", 1)[0]
    end = data.rfind(b"\n") + 1
    return data[:end].splitlines()[1:], end < len(data)


def round_(folder: Path, threads: int, delay: float, tally: Tally) -> None:
    spool, told = folder / "spool", folder / "told"
    told.write_bytes(bytes(8 * threads))
    pid = os.fork()  # quicker than a new interpreter; the child's client begins after the fork
    if pid == 0:
        try:
            host(spool, told, threads)
        finally:
            os._exit(1)
    while not any(told.read_bytes()):
        time.sleep(0.0005)
    time.sleep(delay)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    returned = struct.unpack(f"{threads}q", told.read_bytes())
    seen: list[dict[int, int]] = [{} for _ in range(threads)]
    for path in spool.glob("*/*.ndjson"):
        whole, torn = lines(path)
        tally.torn += torn
        for line in whole:
            attrs = json.loads(line)["attrs"]
            seen[attrs["who"]][attrs["n"]] = seen[attrs["who"]].get(attrs["n"], 0) + 1
    for numbers, said in zip(seen, returned, strict=True):
        tally.returned += said
        tally.found += sum(numbers.values())
        tally.lost += sum(n not in numbers for n in range(said))
        tally.twice += sum(times - 1 for times in numbers.values())
        tally.in_flight += sum(n >= said for n in numbers)
    tally.kills += 1
    shutil.rmtree(spool)


def measure(kills: int, threads: int, most: float) -> Tally:
    tally = Tally()
    chance = random.Random(kills * threads)
    until = time.monotonic() + most
    with tempfile.TemporaryDirectory() as folder:
        while tally.kills < kills and time.monotonic() < until:
            # Most moments fall into the first segments, where rotations are many; some into later ones.
            round_(Path(folder), threads, chance.expovariate(1 / 0.02), tally)
    return tally


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("kills", nargs="?", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=600.0, help="at most, for each row")
    args = parser.parse_args()
    head = ("threads", "kills", "returned", "found", "lost", "twice", "in flight", "torn tails")
    print("".join(f"{word:>12}" for word in head))
    for threads in (1, 4):
        t = measure(args.kills, threads, args.seconds)
        row = (threads, t.kills, t.returned, t.found, t.lost, t.twice, t.in_flight, t.torn)
        print("".join(f"{number:>12,}" for number in row), flush=True)


if __name__ == "__main__":
    main()
