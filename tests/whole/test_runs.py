"""A run over two processes, one of which is killed: from the calls to the answers."""

from pathlib import Path

from tests.server.running import Running, until
from tests.whole.programs import environment, finish
from tests.whole.test_way import ask

PROGRAM = """
    import subprocess, sys
    import tellback

    tellback.init(service="matching", release="2.0", user="guido")
    with tellback.run("MATCHMAKER", customer="acme") as run:
        run.export({"confidence": 0.93})
        with run.part("SCORING") as part:
            part.export_batch([{"score": 7}, {"score": 9}])
        child = "import os, tellback as t; t.init(service='matching'); t.event('worked'); os.kill(os.getpid(), 9)"
        subprocess.run([sys.executable, "-c", child], env=tellback.environ())
    try:
        with tellback.run("MATCHMAKER"):
            raise KeyError("sq20")
    except KeyError:
        pass
    assert tellback.flush(timeout=30)
    print(run.id)
"""


def test_runs_from_the_call_to_the_answer(tmp_path: Path) -> None:
    with Running(tmp_path / "data") as server:
        environ = environment(f"http://127.0.0.1:{server.port}", server.token, tmp_path / "spool")
        id_ = finish(PROGRAM, environ).strip()
        until(lambda: len(ask(server, "records.search")) == 10)
        failed, good = ask(server, "runs.list")
        (both,) = ask(server, "runs.classes", name="MATCHMAKER")
        (worked,) = ask(server, "records.search", name="worked")
        (start,) = ask(server, "records.search", attrs="customer=acme", run=id_, limit="1")
    assert (good["run"], good["outcome"], good["exports"], good["errors"]) == (id_, "ok", 3, 0)
    assert (failed["outcome"], failed["exports"], failed["errors"]) == ("error", 0, 1)
    assert (both["records"], both["ok"], both["error"], both["unfinished"]) == (2, 1, 1, 0)
    assert good["duration"] <= both["p95"]
    # The killed child's event is of the run, by its environment; the parent shipped it.
    assert (worked["run"], worked["trace"], worked["span"]) == (id_, start["trace"], start["span"])
