"""Processes of `multiprocessing` with the start method in the arguments; each makes calls through a breaker."""

import multiprocessing
import sys
import threading
from multiprocessing.context import BaseContext

from halfopen import CircuitBreaker, CircuitBreakerConfig, ManualClock

CHILDREN = 4

clock = ManualClock()
config = CircuitBreakerConfig(name="of the module", failure_threshold=1, timeout_seconds=100, timeout_jitter=0.5)
breaker = CircuitBreaker(config, clock=clock)


@breaker
def guarded(fails: bool) -> str:
    if fails:
        raise OSError
    return "done"


def child(number: int) -> tuple[str, float | None, int]:
    """The result of a call, the wait after a failure, and the calls in flight."""
    answer = guarded(False)
    try:
        guarded(True)
    except OSError:
        assert breaker.state == "open", number
    return answer, breaker.get_status()["retry_after_seconds"], breaker.metrics.in_flight


def main(context: BaseContext) -> None:
    inside, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with breaker:
            inside.set()
            leave.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    inside.wait()
    try:
        with context.Pool(CHILDREN, maxtasksperchild=1) as pool:
            found = pool.map(child, range(CHILDREN), chunksize=1)
    finally:
        leave.set()
        thread.join()
    print({answer for answer, _, _ in found}, len({wait for _, wait, _ in found}), {calls for _, _, calls in found})
    print(breaker.state.value, breaker.metrics.in_flight)


if __name__ == "__main__":
    main(multiprocessing.get_context(sys.argv[1]))
