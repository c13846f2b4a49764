"""`observe`: the tasks that a Celery worker runs, as spans, and what failed in them.

    tellback.init(service="farm")
    tellback.adapters.celery.observe()           # where the worker's app is made

A task becomes a record of kind `span` when it ends: its name, its beginning and duration, and in `attrs`
`celery.task_id`, `celery.state` (SUCCESS, FAILURE, RETRY), `celery.retries`, `celery.queue`. What is recorded while
it runs carries `task` and `task_id`. A failure becomes a record of kind `error`, whose id the span has as `error`.
Arguments and results are not recorded. Works in every pool; a prefork child opens a spool of its own.
"""

from time import perf_counter_ns, time_ns
from typing import Any

from celery import signals  # type: ignore[import-untyped]  # celery has no types

from tellback.client import errors, live
from tellback.client.bound import bound
from tellback.client.events import emit

_running: dict[str, tuple[int, int, bound]] = {}
_failed: dict[str, str] = {}


def observe() -> None:
    """Listen to the tasks of this process. Called again, it does nothing."""
    signals.task_prerun.connect(_begun, dispatch_uid="tellback")
    signals.task_failure.connect(_failure, dispatch_uid="tellback")
    signals.task_retry.connect(_retry, dispatch_uid="tellback")
    signals.task_postrun.connect(_done, dispatch_uid="tellback")


def stop() -> None:
    """Listen no more."""
    for signal in (signals.task_prerun, signals.task_failure, signals.task_retry, signals.task_postrun):
        signal.disconnect(dispatch_uid="tellback")


def _begun(task_id: str, task: Any, **_: Any) -> None:
    try:
        context = bound(task=task.name, task_id=task_id)
        _running[task_id] = time_ns(), perf_counter_ns(), context
        context.__enter__()
    except Exception:
        _count()


def _failure(task_id: str, exception: BaseException, **_: Any) -> None:
    _failed[task_id] = errors.record(exception, attrs={})


def _retry(request: Any, reason: Any, **_: Any) -> None:
    # Celery's own Retry carries what made the task ask for another try.
    cause = getattr(reason, "exc", None)
    if isinstance(cause, BaseException):
        _failed[request.id] = errors.record(cause, attrs={})


def _done(task_id: str, task: Any, state: Any = None, **_: Any) -> None:
    begin = _running.pop(task_id, None)
    error = _failed.pop(task_id, None)
    if begin is None:
        return
    time, clock, context = begin
    try:
        request = task.request
        delivery = request.delivery_info if isinstance(request.delivery_info, dict) else {}
        attrs = {
            "celery.task_id": task_id, "celery.state": state, "celery.retries": request.retries,
            "celery.queue": delivery.get("routing_key"), "error": error,
        }  # fmt: skip
        own = {"time": time, "duration": perf_counter_ns() - clock, "level": "error" if state == "FAILURE" else "info"}
        emit("span", task.name, own, {key: value for key, value in attrs.items() if value is not None})
    except Exception:
        _count()
    finally:
        context.__exit__()


def _count() -> None:
    spool = live.spool
    if spool is not None:
        spool.lost.add("error")
