"""For a host program that forks without telling Python: when may it?"""

import os
import threading
import time
from pathlib import Path

TASKS = Path("/proc/self/task")


def asleep() -> None:
    """Return when every other thread of this process has slept for a while. Where that cannot be told, wait a while."""
    if not TASKS.exists():
        time.sleep(0.15)
        return
    same, before = 0, None
    while same < 5:
        time.sleep(0.03)
        now = _others()
        same = same + 1 if now == before and all(state == "S" for _, state, _ in now) else 0
        before = now


def _others() -> list[tuple[str, str, str]]:
    """Each other thread: its id, its state, and how long it ran."""
    own = str(threading.get_native_id())
    ids = [id_ for id_ in os.listdir(TASKS) if id_ != own]  # noqa: PTH208 -- their names are all that is wanted
    return [
        (id_, (TASKS / id_ / "stat").read_text().rpartition(")")[2].split()[0], (TASKS / id_ / "schedstat").read_text())
        for id_ in ids
    ]
