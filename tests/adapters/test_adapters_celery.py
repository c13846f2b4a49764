"""Tasks in a real Celery worker, over a broker in memory."""

from collections.abc import Callable, Iterator
from typing import Any

import celery
import celery.signals
import pytest
from celery.contrib.testing.worker import start_worker

import tellback
from tellback.adapters.celery import observe, stop

Recorded = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def app(recorded: Recorded) -> Iterator[celery.Celery]:
    made = celery.Celery("farm", broker="memory://", backend="cache+memory://")
    made.conf.worker_hijack_root_logger = False

    @made.task(name="render", bind=True, max_retries=1)
    def render(self: Any, shot: str) -> str:
        tellback.event("rendering", shot=shot)
        if shot == "boom":
            raise ValueError("no rig")
        if shot == "again" and not self.request.retries:
            raise self.retry(exc=OSError("no node"), countdown=0)
        return shot

    # With a receiver Celery leaves logging alone; else it sets the root logger's level for all tests after this one.
    celery.signals.setup_logging.connect(_leave_logging_alone)
    observe()
    observe()
    yield made
    stop()
    celery.signals.setup_logging.disconnect(_leave_logging_alone)


def _leave_logging_alone(**_: Any) -> None:
    pass


def test_tasks_become_spans_and_failures_errors(recorded: Recorded, app: celery.Celery) -> None:
    render = app.tasks["render"]
    with start_worker(app, perform_ping_check=False, pool="solo", loglevel="CRITICAL"):
        assert render.delay("secret").get(timeout=20) == "secret"
        with pytest.raises(ValueError, match="no rig"):
            render.delay("boom").get(timeout=20)
        assert render.delay("again").get(timeout=20) == "again"
    spans = [record for record in recorded() if record["kind"] == "span"]
    errors = [record for record in recorded() if record["kind"] == "error"]
    events = [record for record in recorded() if record["kind"] == "event"]
    assert [(span["name"], span["attrs"]["celery.state"]) for span in spans] == [
        ("render", "SUCCESS"), ("render", "FAILURE"), ("render", "RETRY"), ("render", "SUCCESS"),
    ]  # fmt: skip
    assert [span["attrs"]["celery.retries"] for span in spans] == [0, 0, 0, 1]
    ids = [error["attrs"]["id"] for error in errors]
    assert [span["attrs"].get("error") for span in spans] == [None, *ids, None]
    assert [error["name"] for error in errors] == ["ValueError", "OSError"]
    assert errors[0]["attrs"]["task"] == "render"
    assert all(span["duration"] > 0 for span in spans)
    assert [event["attrs"]["task_id"] for event in events] == [span["attrs"]["celery.task_id"] for span in spans]
    assert "secret" not in str(spans)
