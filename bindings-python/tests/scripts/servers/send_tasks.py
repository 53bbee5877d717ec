"""Sends tasks and prints each result on a line."""

import json

from tasks import ask_a_worker

for result in [ask_a_worker.delay() for _ in range(6)]:
    print(json.dumps(result.get(timeout=45, interval=0.05)), flush=True)
