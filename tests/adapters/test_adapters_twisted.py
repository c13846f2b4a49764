"""Twisted: its reactor runs once in a process, so the program is one of its own."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from adapter_servers import SPAN, TRACE, get, records

PROGRAM = Path(__file__).with_name("twisted_program.py")


@contextmanager
def served(spool: Path) -> Iterator[str]:
    program = subprocess.Popen(
        [sys.executable, str(PROGRAM), str(spool)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert program.stdin is not None
    assert program.stdout is not None
    with program:
        yield f"http://127.0.0.1:{int(program.stdout.readline())}"
        program.stdin.close()
        assert program.wait(20) == 0


def test_requests_failures_and_the_log(tmp_path: Path) -> None:
    with served(tmp_path) as url:
        assert get(url + "/shot", traceparent=f"00-{TRACE}-{SPAN}-01", X_User="guido").text == "sq10"
        failed = get(url + "/fail", Accept="text/html")
        assert get(url + "/lost").text == "lost"
    told = records(tmp_path)
    shot, fail, lost = [record for record in told if record["kind"] == "span"]
    assert (shot["name"], shot["trace"], shot["parent"], shot["user"]) == ("GET", TRACE, SPAN, "guido")
    assert shot["duration"] > 10_000_000
    # Before and after its coroutine waited; and the next request is none of it.
    assert [record["span"] for record in told if record["kind"] == "event"] == [shot["span"]] * 2
    assert TRACE not in (fail["trace"], lost["trace"])

    value, key = [record for record in told if record["kind"] == "error"]
    assert (value["name"], value["attrs"]["url.path"]) == ("ValueError", "/fail")
    assert failed.status == 500
    assert f"<code>{value['attrs']['id']}</code>" in failed.text
    assert failed.headers["tellback-error"] == value["attrs"]["id"]
    assert (fail["attrs"]["error"], fail["attrs"]["status"]) == (value["attrs"]["id"], "error")
    assert (key["name"], key["attrs"]["mechanism"]) == ("KeyError", "twisted")

    logs = [record for record in told if record["kind"] == "log"]
    (left,) = [log for log in logs if log["name"] == "farm.jobs"]
    assert (left["level"], left["message"]) == ("warn", "3 jobs left, password=[masked]")
    assert (left["attrs"]["template"], left["attrs"]["count"]) == ("{count} jobs left, password=[masked]", 3)
    assert left["span"] == lost["span"]
    assert {log["attrs"]["error"] for log in logs if "error" in log["attrs"]} == {
        value["attrs"]["id"],
        key["attrs"]["id"],
    }
