"""A Celery app whose broker is a folder; Tellback begins when it is imported, before the pool forks."""

import os
import signal

from celery import Celery

import tellback

FOLDER = os.environ["BROKER"]

tellback.init(service="tasks")
app = Celery("tasks", broker="filesystem://")
app.conf.update(
    broker_transport_options={
        "data_folder_in": FOLDER, "data_folder_out": FOLDER, "control_folder": FOLDER + "/control",
    },
    worker_prefetch_multiplier=1,
)  # fmt: skip


@app.task
def work(n: int) -> None:
    tellback.event("e", n=n)
    if n == 13:
        os.kill(os.getpid(), signal.SIGKILL)
