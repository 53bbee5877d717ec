"""The vectors in Python, on the WebAssembly component as wasmtime runs it."""

import sys

from component import package
from driver import main

if __name__ == "__main__":
    sys.exit(main("component-wasmtime", package))
