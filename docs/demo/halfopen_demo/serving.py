"""Runs one of the demo's HTTP servers in this process: on loopback, and never longer than its parent."""

import argparse
import os
import socket
import sys
import threading

import uvicorn
from fastapi import FastAPI

STDIN = 0


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options that every server of the demo has."""
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--leash", action="store_true", help="stop when standard input is closed")


def serve(app: FastAPI, *, port: int, leash: bool) -> None:
    """Serves `app` until a signal comes, or with `leash` until standard input is closed.

    The address is the first line on standard output. It is printed once the socket listens, so who reads it
    can connect at once, and nobody has to guess a free port or how long the start takes.
    """
    try:
        listener = socket.create_server(("127.0.0.1", port))
    except OSError as error:
        sys.exit(f"port {port} cannot be used ({error.strerror}); choose another one with --port")
    # asyncio does it only for sockets that name their protocol; without it an answer waits 40 ms for the other's ACK.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    # Connections that a hanging provider holds must not hold up the end.
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", timeout_graceful_shutdown=1))
    if leash:
        threading.Thread(target=_stop_without_parent, args=(server,), daemon=True).start()
    server.run(sockets=[listener])
    if not server.started:
        sys.exit("the server did not start")


def _stop_without_parent(server: uvicorn.Server) -> None:
    """Stops the server when the other end of standard input is closed, which even a killed parent does."""
    while os.read(STDIN, 1024):
        pass
    server.should_exit = True
