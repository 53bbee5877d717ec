"""Circuit breakers in a FastAPI application, by one line.

>>> from fastapi import FastAPI
>>> from halfopen.fastapi import install
>>> app = FastAPI()
>>> _ = install(app)

``install`` answers 503 with ``Retry-After`` where a circuit is open, documents that answer in OpenAPI, and mounts the
routes that show the breakers. The routes that change a breaker are mounted only with ``operator=``, a dependency that
authenticates the caller and returns their name. It needs ``fastapi`` (the extra ``fastapi``).
"""

from halfopen.fastapi._audit import Act
from halfopen.fastapi._dependency import breaker
from halfopen.fastapi._install import Installed, install

__all__ = ["Act", "Installed", "breaker", "install"]
