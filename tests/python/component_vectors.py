"""Runs the vectors in Python on the WebAssembly component, in wasmtime."""

import sys

from component import package
from driver import main

if __name__ == "__main__":
    sys.exit(main("component-wasmtime", package, package.replay_pool))
