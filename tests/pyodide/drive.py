"""Inside Pyodide: no threads, no msgspec. Gives JSON of what the usage room saw, case by case."""

import contextlib
import importlib
import json
import sys
import threading
import types
from pathlib import Path

# The packages' own __init__ would import msgspec, which is not here; the rooms under test need the standard library.
for name in ("tellback", "tellback.client", "tellback.client.usage"):
    stand_in = types.ModuleType(name)
    stand_in.__path__ = ["/tellback/" + name.replace(".", "/")]
    sys.modules[name] = stand_in

from tellback.client.usage.inventory import functions  # noqa: E402  # the stand-ins come first
from tellback.client.usage.monitor import Monitor  # noqa: E402
from tellback.client.usage.packages import Packages  # noqa: E402
from tellback.client.usage.recorder import Recorder  # noqa: E402
from tellback.client.usage.sampler import Sampler  # noqa: E402

RIG = """
def plain():
    return 1

def other():
    return [n for n in range(3)]

def never():
    return (lambda: 1)()

def outer():
    def inner():
        return 1
    return inner()

def counted():
    yield 1

async def later():
    return 1

class Rig:
    size = 1
    def method(self):
        return 1
    @property
    def prop(self):
        return 1
    @staticmethod
    def unused():
        return 1

def raises():
    raise ValueError
"""
folder = Path("/rig")
(folder / "rigtools" / "deep").mkdir(parents=True)
(folder / "rigtools" / "__init__.py").write_text("def at_top():\n    return 1\n")
(folder / "rigtools" / "parts.py").write_text(RIG)
(folder / "rigtools" / "deep" / "__init__.py").write_text("")
(folder / "rigtools" / "deep" / "leaf.py").write_text("def leaf():\n    return 1\n")
(folder / "outside.py").write_text("def elsewhere():\n    return 1\n")
sys.path.insert(0, str(folder))
out: dict[str, object] = {"python": list(sys.version_info[:2])}


class Case:
    def __init__(self, *, lines=False, user=None):
        self.told: list[tuple[str, list[str], str | None]] = []
        self.notes = 0
        self.on = True
        self.packages = Packages(["rigtools"])
        self.recorder = Recorder(
            lambda name, text, user: self.told.append((name, text.split("\n"), user)), "called", lambda: user
        )
        note = self.recorder.note

        def counting(module, function):
            self.notes += 1
            note(module, function)

        self.recorder.note = counting
        self.monitor = Monitor(self.packages, self.recorder, lines=lines, open_=lambda: self.on)
        self.trouble = self.monitor.start()

    def end(self):
        self.monitor.stop()
        self.recorder.drain()
        return list(self.told)


try:
    threading.Thread(target=print).start()
    out["threads"] = True
except RuntimeError:
    out["threads"] = False

case = Case(user="guido")
parts = importlib.import_module("rigtools.parts")
rigtools = importlib.import_module("rigtools")
outside = importlib.import_module("outside")
for _ in range(1000):
    parts.plain()
rigtools.at_top()
parts.other()
parts.outer()
list(parts.counted())
with contextlib.suppress(StopIteration):
    parts.later().send(None)
parts.Rig().method()
_ = parts.Rig().prop
try:
    parts.raises()
except ValueError as error:
    out["host's own exception"] = type(error).__name__
outside.elsewhere()
out["calls"] = case.end()
out["notes"] = case.notes

events = sys.monitoring.events
out["left behind"] = [sys.monitoring.get_tool(4), sys.monitoring.get_tool(3)]
case.told.clear()
importlib.import_module("rigtools.deep.leaf").leaf()
case.recorder.drain()
out["after stop"] = case.told

# A second watcher sees again what the first has had switched off.
again = Case()
parts.plain()
out["again"] = again.end()

paused = Case()
paused.on = False
parts.plain()
paused.on = True
parts.plain()  # still switched off
paused.monitor.tick()
parts.outer()
parts.plain()
out["paused"] = paused.end()

daily = Case()
parts.plain()
daily.recorder.drain()
daily.recorder.again()
daily.monitor.again()
parts.plain()
parts.plain()
out["daily"] = [daily.end(), daily.notes]

lined = Case(lines=True)
parts.outer()
parts.outer()
out["lines"] = lined.end()

for id_ in (3, 4):
    sys.monitoring.use_tool_id(id_, "another")
crowded = Case()
parts.plain()
out["crowded"] = [crowded.trouble, crowded.end()]
for id_ in (3, 4):
    sys.monitoring.free_tool_id(id_)

sys.monitoring.use_tool_id(4, "another")
shared = Case()
parts.plain()
out["one place left"] = [shared.trouble, shared.end()]
sys.monitoring.free_tool_id(4)


class Broken(Recorder):
    def note(self, module, function):
        raise OSError("disk")


faulty = Case()
faulty.monitor.stop()
monitor = Monitor(faulty.packages, Broken(lambda *_: None, "called", lambda: None), lines=False)
monitor.start()
out["a fault of ours"] = parts.plain()
monitor.stop()

out["inventory"] = {module: functions(path) for module, path in Packages(["rigtools"]).files()}
out["sampler"] = Sampler([]).start()
json.dumps(out)
