"""No 202 leaves before an fdatasync that covers it has ended: seen from the kernel's side."""

import json
import os
import re
import shutil
import signal
import sys
import threading
from pathlib import Path

import pytest

from tests.server.running import Running

POSTS = 12
THREADS = 4
CALL = re.compile(r"^(?P<pid>\d+) +(?P<time>[\d.]+) (?P<rest>.*)$")


@pytest.mark.linux
@pytest.mark.skipif(sys.platform != "linux" or not shutil.which("strace"), reason="needs strace")
def test_no_202_leaves_before_the_fdatasync_that_covers_it(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    prefix = (
        "strace",
        "-f",
        "-ttt",
        "-s",
        "200000",
        "-o",
        str(trace),
        "-e",
        "trace=fdatasync,write,writev,sendto,sendmsg",
    )
    with Running(tmp_path / "data", prefix=prefix) as server:

        def post(thread: int) -> None:
            for n in range(POSTS):
                # Each thread's records have a length of their own, so that answers tell whose they are.
                body = f'{{"name":"mark-{thread}-{n}."}}\n'.encode() * (1 + thread * POSTS + n)
                assert server.post(body).status == 202

        threads = [threading.Thread(target=post, args=(n,)) for n in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        # strace forwards no signal to what it traces, so the server is stopped by its own id.
        os.kill(json.loads((tmp_path / "data" / "server.json").read_text())["pid"], signal.SIGTERM)
        assert server.process.wait(60) == 0
    covered = check(trace.read_text(errors="replace"))
    assert covered == POSTS * THREADS


def check(trace: str) -> int:
    """Walk the trace in time; the number of 202s, each after its sync. AssertionError for one that came before."""
    written: dict[str, bool] = {}  # "-thread-n." -> whether a sync that began after its write has ended
    files: dict[str, str] = {}  # the descriptor that each was written to
    waiting: dict[str, set[str]] = {}  # pid in fdatasync -> the marks it covers
    accepted: dict[int, str] = {}
    answers = 0
    for line in trace.splitlines():
        call = CALL.match(line)
        if call is None:
            continue
        pid, rest = call["pid"], call["rest"]
        if rest.startswith("write(") and (found := set(re.findall(r"mark-(\d+-\d+)\.", rest))):
            for mark in found:
                written.setdefault(mark, False)
                files.setdefault(mark, rest[6 : rest.index(",")])
        elif rest.startswith("fdatasync("):
            descriptor = re.findall(r"\d+", rest)[0]
            waiting[pid] = {mark for mark in written if files[mark] == descriptor}
            if "unfinished" not in rest and rest.endswith("= 0"):
                written.update(dict.fromkeys(waiting.pop(pid), True))
        elif "fdatasync resumed" in rest and rest.endswith("= 0"):
            written.update(dict.fromkeys(waiting.pop(pid), True))
        elif "HTTP/1.1 202" in rest or '\\"accepted\\":' in rest:
            for count in re.findall(r'\\"accepted\\":(\d+)', rest):
                thread, n = divmod(int(count) - 1, POSTS)
                mark = f"{thread}-{n}"
                assert written.get(mark), f"202 for {mark} left before its fdatasync had ended: {line}"
                answers += 1
                accepted[int(count)] = mark
    assert len(accepted) == answers
    return answers


def test_the_check_itself_notices_an_early_answer() -> None:
    write = '7 1.0 write(5, "{\\"name\\":\\"mark-0-0.\\"", 20) = 20\n'
    sync, end = "7 1.1 fdatasync(5 <unfinished ...>\n", "7 1.3 <... fdatasync resumed>) = 0\n"
    answer = '8 1.2 sendto(9, "HTTP/1.1 202 Accepted\\r\\n\\r\\n{\\"accepted\\":1,", 50) = 50\n'
    assert check(write + sync + end + answer) == 1
    for early in (answer + write + sync + end, write + answer + sync + end, write + sync + answer + end):
        with pytest.raises(AssertionError):
            check(early)
    with pytest.raises(AssertionError):
        check(sync + write + end + answer)
