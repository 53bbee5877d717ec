"""Runs the vectors in Python on the package ``halfopen``."""

import sys

import halfopen
from driver import main
from halfopen._core import replay_pool

if __name__ == "__main__":
    sys.exit(main("python", halfopen, replay_pool))
