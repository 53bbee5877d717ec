"""A backend sees the same of the replaced module and of ``halfopen.compat``, on random histories."""

from pathlib import Path

from own_process import run

SCRIPTS = Path(__file__).parent / "scripts"


def test_random_histories_look_alike_with_either_module() -> None:
    [steps] = run(SCRIPTS / "old_and_new.py")
    assert int(steps) > 3000
