"""The demo as a person starts it: half a million records of ninety days through the real client and server."""

import re
import signal
import subprocess
import time
from pathlib import Path

import msgspec
import pytest

from tellback.demo.fill import Mark
from tellback.demo.serving import PROGRAM
from tellback.demo.show import ANSWERS


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "data"


@pytest.fixture(scope="module")
def answers(data: Path) -> str:
    """What `tellback demo --once` prints."""
    done = _demo("--once", "--data", str(data))
    assert done.returncode == 0, done.stderr
    return done.stdout


def _demo(*args: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([*PROGRAM, "demo", *args], capture_output=True, text=True, check=False)


def _rows(answers: str, name: str) -> list[str]:
    """The lines under a question's name, its table's head and rule left out."""
    section = answers.split(f"{name}\n", 1)[1].split("\n\n", 1)[0]
    return [line for line in section.splitlines() if re.search(r"\d", line)]


def test_every_answer_is_printed_under_its_name(answers: str) -> None:
    assert [line for line in answers.splitlines() if line in ANSWERS] == list(ANSWERS)
    assert all(_rows(answers, name) for name in ANSWERS)


def test_the_numbers_are_those_of_the_firm(answers: str, data: Path) -> None:
    filled = msgspec.json.decode((data / "demo.json").read_bytes(), type=Mark)
    assert filled.records is not None
    assert 400_000 < filled.records < 600_000
    assert str(filled.records) in _plain("\n".join(_rows(answers, "store.ledger")))
    teams = answers.split("adoption.teams\n", 1)[1].split("\n\n", 1)[0]
    assert "Finance" in teams
    assert "Legal" in teams
    assert "rigmath" in answers.split("errors.top\n", 1)[1]


def test_the_broken_import_is_the_first_error(answers: str) -> None:
    assert "ModuleNotFoundError: No module named 'rigmath'" in _rows(answers, "errors.top")[0]


def test_a_second_time_doubles_nothing(answers: str, data: Path) -> None:
    again = _demo("--once", "--data", str(data))
    assert again.returncode == 0, again.stderr
    assert _rows(again.stdout, "store.ledger") == _rows(answers, "store.ledger")
    assert _rows(again.stdout, "adoption.teams") == _rows(answers, "adoption.teams")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_stays_up_until_it_is_told_to_end(answers: str, data: Path, number: signal.Signals) -> None:
    stay = [*PROGRAM, "demo", "--data", str(data), "--port", "0"]
    with subprocess.Popen(stay, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as demo:
        assert demo.stdout is not None
        said = ""
        for line in demo.stdout:
            said += line
            if "Ctrl-C" in line:
                break
        demo.send_signal(number)
        _, errors = demo.communicate(timeout=60)
    assert demo.returncode == 0, errors
    assert "used again" in said
    assert re.search(r"Sign in: http://127\.0\.0\.1:\d+/sign-in/\w+", said)
    assert not (data / "server.json").exists(), "the server ended in order"


def test_a_broken_off_filling_begins_anew(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with subprocess.Popen([*PROGRAM, "demo", "--once", "--data", str(data)], stderr=subprocess.PIPE, text=True) as demo:
        assert demo.stderr is not None
        demo.stderr.readline()  # the first tenth
        demo.send_signal(signal.SIGINT)
        demo.communicate(timeout=60)
    mark = msgspec.json.decode((data / "demo.json").read_bytes(), type=Mark)
    assert mark.records is None
    from tellback.demo.fill import prepare

    before = time.time_ns()
    assert prepare(data).records is None
    assert [path.name for path in data.iterdir()] == ["demo.json"]
    assert (data / "demo.json").stat().st_mtime_ns > before - 1_000_000_000


def test_a_directory_of_another_purpose_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    done = _demo("--once", "--data", str(tmp_path))
    assert done.returncode == 1
    assert "not a demo's" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def _plain(text: str) -> str:
    """Without the separators of thousands."""
    return re.sub(r"(?<=\d)[, \u202f](?=\d{3})", "", text)
