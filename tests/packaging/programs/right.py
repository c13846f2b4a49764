"""A user's program over the whole public API, as `mypy --strict` must accept it. It is checked, never run."""

import logging
from pathlib import Path

import tellback

tellback.init(service="rigtools", release="1.4.2", environment="production")
logging.getLogger().addHandler(tellback.LogHandler())


@tellback.capture
def export(rows: int) -> str:
    with tellback.bound(user="guido", shot="sq10"):
        tellback.event("export_to_file_edit", rows=rows, duration=12_000_000)
    return "done"


def load(path: Path) -> str:
    try:
        return path.read_text()
    except OSError as error:
        reference = tellback.capture(error)
        raise SystemExit(f"cannot read {path}; tell the pipeline team {reference}") from error


with tellback.capture():
    text: str = export(rows=3) + load(Path("shots.csv"))

requests = tellback.counter("requests", unit="{request}")
requests.add()
requests.add(2, route="/shots")
tellback.gauge("queue").set(4)
tellback.gauge("load", lambda: 0.5, caveat="of all users of the machine")
tellback.histogram("size", unit="By").record(4096.0, format="exr")
tellback.meter("frames").mark(3)
tellback.process_metrics()
pusher: tellback.push.Pusher = tellback.push.statsd("127.0.0.1", prefix="rigtools", period=10)
pusher.allow("*")
pusher.close()
status: tellback.status.Server = tellback.status.serve()
print(status.url, tellback.status.asgi, tellback.status.wsgi)
status.close()
with tellback.timer("export"):
    pass


@tellback.timer("relax", solver="ik")
def relax(steps: int) -> float:
    return steps / 2


half: float = relax(3)


@tellback.span
def solve(rows: int) -> float:
    return rows / 2


with tellback.run("MATCHMAKER", customer="acme") as run, run.part("SCORING") as part:
    part.export({"confidence": tellback.wrap(solve)(3)}, time=1.5)
    run_id: str = run.id
    headers = tellback.inject({"accept": "text/html"})
with tellback.extract(headers), tellback.span("GET /shots") as span:
    span.set(shots=3)
tellback.thread(target=solve, args=(3,)).start()
exported: tellback.Emitter = tellback.schema(Path("export.json"), categories=["unrestricted"])
exported(rows=3)
exported.record({"rows": 3}, time=1.5)
exported.add_listener(lambda id_, data: print(id_, data["rows"]))

acknowledged: bool = tellback.flush(timeout=5)
tellback.close()
