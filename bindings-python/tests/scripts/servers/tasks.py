"""The Celery application, whose messages are files in the folder that the environment names."""

import os
import time
from pathlib import Path
from typing import Any

from celery import Celery
from served import answer

folder = Path(os.environ["HALFOPEN_TEST_FOLDER"])
for name in ("messages", "processed", "results"):
    (folder / name).mkdir(exist_ok=True)

app = Celery("tasks", broker="filesystem://", backend=f"file://{folder / 'results'}")
app.conf.update(
    broker_transport_options={
        "data_folder_in": str(folder / "messages"),
        "data_folder_out": str(folder / "messages"),
        "control_folder": str(folder / "control"),
        "processed_folder": str(folder / "processed"),
        "polling_interval": 0.1,
    },
    broker_connection_retry_on_startup=True,
    worker_prefetch_multiplier=1,
)


@app.task  # type: ignore[untyped-decorator]
def ask_a_worker() -> dict[str, Any]:
    # Long enough for the other worker to take the next task.
    time.sleep(0.2)
    return answer()
