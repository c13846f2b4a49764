"""How long a call can be held up: the server accepts and never answers, a process syncs the disk without pause.

    python benchmarks/stalled.py [CALLS]

Wall time of each call, interleaved with an empty control loop of the same shape; the excess is the difference of the
two at each percentile. What the machine does to both is not the client's.
"""

import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import tellback

SYNC = """
import os, sys
fd = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
while True:
    os.pwrite(fd, os.urandom(1 << 20), 0)
    os.fsync(fd)
"""


def stalled_server() -> socket.socket:
    """Accepts connections and reads nothing."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    kept: list[socket.socket] = []

    def accept() -> None:
        while True:
            try:
                kept.append(listener.accept()[0])
            except OSError:
                return

    threading.Thread(target=accept, daemon=True).start()
    return listener


def measure(calls: int) -> tuple[list[int], list[int]]:
    """Wall ns of each call of the client, and of the control."""
    clock = time.perf_counter_ns
    with tempfile.TemporaryDirectory() as folder:
        listener = stalled_server()
        beside = subprocess.Popen([sys.executable, "-c", SYNC, str(Path(folder) / "synced")])
        ours, control = [], []
        try:
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            tellback.init("stalled", url=url, spool=Path(folder) / "spool", interval=0.1)
            tellback.event("first")
            for n in range(calls):
                begin = clock()
                tellback.event("export_to_file_edit", rows=n, path="/out/a.ma", ok=True)
                middle = clock()
                control.append(clock() - middle)
                ours.append(middle - begin)
        finally:
            tellback.close(0)
            beside.kill()
            beside.wait()
            listener.close()
    return sorted(ours), sorted(control)


def main() -> None:
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    ours, control = measure(calls)
    print(f"{calls:,} calls, wall time in microseconds\n{'':8}{'call':>12}{'control':>12}{'excess':>12}")
    for label, share in (("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999), ("p99.99", 0.9999), ("worst", 1.0)):
        at = min(calls - 1, int(calls * share))
        a, b = ours[at] / 1000, control[at] / 1000
        print(f"{label:8}{a:12,.1f}{b:12,.1f}{a - b:12,.1f}")


if __name__ == "__main__":
    main()
