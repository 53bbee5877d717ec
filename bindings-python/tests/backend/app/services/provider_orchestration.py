"""The whole of the replaced module."""

from halfopen.compat.orchestration import *  # noqa: F403
