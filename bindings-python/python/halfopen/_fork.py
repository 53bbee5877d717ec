"""Prepares breakers in a forked child."""

import os

from halfopen._core import after_fork

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=after_fork)
