"""The whole of the replaced module."""

from halfopen.compat import *  # noqa: F403
