import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from tellback.server.decisions import Decisions, database, open_decisions
from tellback.server.decisions.database import DatabaseError
from tellback.server.decisions.tables import Base, Setting


def test_the_migrations_lead_to_the_tables(decisions: Decisions) -> None:
    with decisions.engine.begin() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_the_stamp_is_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(database.__file__).parent / "migrations"))
    assert ScriptDirectory.from_config(config).get_heads() == [database.HEAD]


def test_a_start_without_migration_does_not_import_alembic(tmp_path: Path, decisions: Decisions) -> None:
    code = (
        "import sys; from pathlib import Path; from tellback.server.decisions import open_decisions;"
        "open_decisions(Path(sys.argv[1]), '').close(); print('alembic' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, capture_output=True, text=True)
    assert run.stdout == "False\n"


def test_the_file_is_the_users_own_and_syncs(tmp_path: Path, decisions: Decisions) -> None:
    path = tmp_path / database.FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with decisions.read() as session:
        assert session.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert session.execute(text("PRAGMA synchronous")).scalar() == 2


def test_a_newer_form_is_refused_and_left_alone(tmp_path: Path, decisions: Decisions) -> None:
    with decisions.begin() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseError, match="newer Tellback"):
        open_decisions(tmp_path, "")


def test_what_cannot_be_opened_says_why(tmp_path: Path) -> None:
    (tmp_path / database.FILE).write_bytes(b"this is no database, and long enough to be looked at" * 100)
    with pytest.raises(DatabaseError, match="not a database"):
        open_decisions(tmp_path, "")
    with pytest.raises(DatabaseError, match="cannot be opened"):
        open_decisions(tmp_path / "nowhere", "")
    with pytest.raises(DatabaseError, match="postgresql://"):
        open_decisions(tmp_path, "nonsense")


def test_a_name_in_the_environment_is_another_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELLBACK_DATABASE", f"sqlite:///{tmp_path}/other.db")
    open_decisions(tmp_path).close()
    assert (tmp_path / "other.db").exists()
    assert not (tmp_path / database.FILE).exists()


def test_two_that_start_at_once_both_get_through(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from tellback.server.decisions import open_decisions;"
        "sys.stdin.read(1); open_decisions(Path(sys.argv[1]), '').close()"
    )
    both = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    for process in both:
        assert process.stdin
        process.stdin.write(b"x")
        process.stdin.flush()
    for process in both:
        _, error = process.communicate(timeout=60)
        assert (process.returncode, error) == (0, b"")


def test_writers_wait_for_each_other_and_readers_for_nobody(decisions: Decisions) -> None:
    def count() -> None:
        for _ in range(20):
            with decisions.begin() as session:
                row = session.get(Setting, "n")
                assert row is not None
                row.value = str(int(row.value) + 1)

    with decisions.begin() as session:
        session.add(Setting(key="n", value="0"))
    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with decisions.begin() as writing:
        writing.add(Setting(key="held", value="x"))
        writing.flush()
        with decisions.read() as session:
            n = session.get(Setting, "n")
            assert n is not None
            assert n.value == "80"
            assert session.get(Setting, "held") is None
