"""Prints the statics of the compiled module that are filled at their first use, and not at import.

These statics change at the first use of everything, and at no later use. PyO3's names and classes are listed even if
nothing here uses them. A child that is forked while another thread fills one would wait for it for ever.
"""

import ctypes
import logging
import os
import subprocess
import sys
from pathlib import Path

from everything import use_everything

import halfopen._core

WRITABLE = frozenset("bBdD")
"""The kinds of symbols that `nm` finds in writable memory."""

PYO3S = ("::INTERNED", "::TYPE", "type_object_raw::TYPE_OBJECT")
"""The endings of the names of PyO3's cells. The last field of a cell is a pointer."""
POINTER = ctypes.sizeof(ctypes.c_void_p)

library = os.path.realpath(halfopen._core.__file__)
places = [line.split() for line in Path("/proc/self/maps").read_text().splitlines()]
base = min(int(place[0].split("-")[0], 16) for place in places if place[-1] == library)


def statics() -> dict[tuple[int, str], int]:
    """Address, name and size of each."""
    listed = subprocess.check_output(["nm", "--demangle", "--print-size", "--defined-only", library], text=True)
    found: dict[tuple[int, str], int] = {}
    for line in listed.splitlines():
        address, size, kind, *name = line.split(maxsplit=3)
        if kind in WRITABLE and name:
            found[int(address, 16), name[0]] = int(size, 16)
    return found


def contents() -> list[bytes]:
    return [ctypes.string_at(base + address, size) for (address, _), size in statics_read.items()]


logging.disable()
sys.unraisablehook = lambda _: None
statics_read = statics()
before = contents()
use_everything()
filled = contents()
use_everything()
for (_, name), was, then, now in zip(statics_read, before, filled, contents(), strict=True):
    if was != then == now or (name.endswith(PYO3S) and not any(was[-POINTER:])):
        print(name)
