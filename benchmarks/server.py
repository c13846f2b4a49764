"""The server's drained rate beside DuckDB's own bulk load of the same lines.

    python benchmarks/server.py [--records N] [--senders N]

A record counts when it is acknowledged and visible. The server is a process of its own; senders post slices of 512 KiB,
zstd level 1 as the client does, over keep-alive connections from another process, whose CPU is not counted.
`read_json` loads the canonical lines that the server made of them, in one statement, into a table with a file.
"""

import argparse
import base64
import http.client
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import zstandard

RECORD = 290
SLICE = 512 << 10
PROCESS = {"service": "rigtools", "release": "1.4.2", "environment": "prod", "host": "ws042", "os": "linux",
           "python": "3.11.7", "pid": 4242, "start": 1764062691000000000}  # fmt: skip


def line(number: int) -> bytes:
    record = {
        "time": 1764062691000000000 + number * 1_000_000,
        "kind": "event",
        "name": ("export_to_file_edit", "sort_edit", "pivot_edit", "merge_edit")[number % 4],
        "user": f"user{number % 400:03d}",
        "session": f"{number % 4000:016x}",
        "attrs": {
            "rows": number % 10_000,
            "shot": f"sq{number % 50}_{number % 7}",
            "ok": number % 9 > 0,
            "ms": number % 977 / 8,
        },
    }
    text = json.dumps(record, separators=(",", ":"))
    pad = RECORD - len(text) - len(',"path":""') - 1
    return (text[:-2] + f',"path":"{"/show/asset" * 20:.{max(pad, 0)}}"' + "}}\n").encode()


def cpu(pid: int) -> float:
    """Seconds of CPU that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def slices(records: int, senders: int) -> list[list[tuple[int, bytes]]]:
    """For each sender its (offset, compressed slice)."""
    compressor = zstandard.ZstdCompressor(1)
    out: list[list[tuple[int, bytes]]] = [[] for _ in range(senders)]
    for sender in range(senders):
        offset, body = 0, bytearray()
        for number in range(sender, records, senders):
            body += line(number)
            if len(body) >= SLICE:
                out[sender].append((offset, compressor.compress(bytes(body))))
                offset += len(body)
                body.clear()
        if body:
            out[sender].append((offset, compressor.compress(bytes(body))))
    return out


def send(port: int, token: str, segment: str, parts: list[tuple[int, bytes]]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    process = base64.urlsafe_b64encode(json.dumps(PROCESS).encode()).decode()
    for offset, body in parts:
        while True:
            headers = {"Authorization": f"Bearer {token}", "Content-Encoding": "zstd", "Tellback-Segment": segment,
                       "Tellback-Offset": str(offset), "Tellback-Process": process}  # fmt: skip
            connection.request("POST", "/v1/records", body, headers)
            answer = connection.getresponse()
            answer.read()
            if answer.status == 202:
                break
            time.sleep(0.1)


def serve(data: str) -> None:
    """The server's process: says its address, then what it is asked for on standard input."""
    from tellback.server import app, serving

    opened: list[app.Server] = []
    real = app.Server.open

    async def open_and_remember(self: app.Server) -> None:
        await real(self)
        opened.append(self)

        def answer() -> None:
            for _ in sys.stdin:
                visible = self.store.query("SELECT count(*) FROM records").rows[0][0]
                print(
                    json.dumps({"visible": visible, "lag": (time.time_ns() - self.store.through()) / 1e9}), flush=True
                )

        threading.Thread(target=answer, daemon=True).start()

    app.Server.open = open_and_remember  # type: ignore[method-assign]
    serving.serve(app.Settings(Path(data), port=0), lambda text: print(text, flush=True))


def drained(records: int, senders: int, folder: Path) -> dict[str, float]:
    """Post all, wait until all is visible."""
    parts = slices(records, senders)
    server = subprocess.Popen(
        [sys.executable, __file__, "--serve", str(folder / "data")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdin
    assert server.stdout
    token = port = ""
    for text in server.stdout:
        if text.startswith("write token"):
            token = text.split()[-1]
        if " listens at " in text:
            port = text.split(",")[0].rpartition(":")[2]
            break

    def ask(what: str) -> dict[str, float]:
        assert server.stdin
        assert server.stdout
        server.stdin.write(what + "\n")
        server.stdin.flush()
        return dict(json.loads(server.stdout.readline()))

    ask("count")
    before, started = cpu(server.pid), time.perf_counter()
    threads = [threading.Thread(target=send, args=(int(port), token, f"{n:032x}", parts[n])) for n in range(senders)]
    for thread in threads:
        thread.start()
    worst = 0.0
    while any(thread.is_alive() for thread in threads):
        worst = max(worst, ask("lag")["lag"])
        time.sleep(0.05)
    acknowledged = time.perf_counter() - started
    while (now := ask("count"))["visible"] < records:
        worst = max(worst, now["lag"])
        time.sleep(0.02)
    took, used = time.perf_counter() - started, cpu(server.pid) - before
    assert now["visible"] == records
    server.terminate()
    server.wait()
    return {"seconds": took, "acknowledged": acknowledged, "cpu": used, "lag": worst}


def bulk(records: int, folder: Path) -> dict[str, float]:
    """The engine alone: the same lines in canonical form, one statement, into a table of a file."""
    import duckdb

    from tellback.server.grant import WRITE, Grant
    from tellback.server.intake.contract import Request
    from tellback.server.intake.records import WIRE
    from tellback.server.intake.seen import Index
    from tellback.server.store.load import rows
    from tellback.server.store.tables import QUOTED, TABLES

    path = folder / "lines.ndjson"
    header = {"tellback-process": base64.urlsafe_b64encode(json.dumps(PROCESS).encode()).decode()}
    with path.open("wb") as file:
        for first in range(0, records, 2000):
            body = b"".join(line(number) for number in range(first, min(first + 2000, records)))
            grant = Grant("1", "t", frozenset({WRITE}))
            request = Request("", {}, {}, header, "", grant, None, time.time_ns(), body, Index())
            file.writelines(WIRE.decode(request).lines)
    connection = duckdb.connect(str(folder / "bulk.duckdb"), config={"checkpoint_threshold": "256MB"})
    connection.execute(TABLES)
    before, started = cpu(os.getpid()), time.perf_counter()
    connection.execute(f"INSERT INTO records ({QUOTED}) {rows([path], 'UTC')}")
    return {"seconds": time.perf_counter() - started, "cpu": cpu(os.getpid()) - before}


def main() -> None:
    parser = argparse.ArgumentParser(description="drained rate of the server beside the engine's own bulk load")
    parser.add_argument("--records", type=int, default=400_000)
    parser.add_argument("--senders", type=int, default=2)
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        serve(args.serve)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        alone = bulk(args.records, folder)
        server = drained(args.records, args.senders, folder)
    millions = args.records / 1e6
    print(
        f"{args.records:,} records of {RECORD} bytes, {args.senders} senders, {os.cpu_count()} cores shared with them\n"
    )
    print(f"| {'what':<34} | records/s | CPU-s per million |\n|{'-' * 36}|{'-' * 11}|{'-' * 19}|")
    for what, result in (("DuckDB read_json, one statement", alone), ("Tellback, acknowledged and visible", server)):
        print(f"| {what:<34} | {args.records / result['seconds']:>9,.0f} | {result['cpu'] / millions:>17.2f} |")
    print(f"\nCPU: {server['cpu'] / alone['cpu']:.2f} times the engine's own. "
          f"Acknowledged after {server['acknowledged']:.2f} s, visible after {server['seconds']:.2f} s; "
          f"worst lag between the two {server['lag']:.2f} s.")  # fmt: skip


if __name__ == "__main__":
    main()
