"""An application with ``halfopen.fastapi`` on a free port, which it prints."""

import socket
from typing import Annotated

import uvicorn
from fastapi import Depends, FastAPI, HTTPException

from halfopen import CircuitBreaker, CircuitBreakerOpenError
from halfopen.fastapi import breaker, install

app = FastAPI()
install(app, operator=lambda: "ada", stream_seconds=2.0)


@app.get("/fail")
async def fail(openai: Annotated[CircuitBreaker, Depends(breaker("openai", failure_threshold=1))]) -> None:
    try:
        async with openai:
            raise ConnectionError
    except CircuitBreakerOpenError:
        raise
    except ConnectionError:
        raise HTTPException(502) from None


if __name__ == "__main__":
    with socket.create_server(("127.0.0.1", 0)) as listening:
        print(listening.getsockname()[1], flush=True)
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
        server.run(sockets=[listening])
