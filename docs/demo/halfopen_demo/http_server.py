"""Runs one of the demo's HTTP servers in this process, on loopback, at most as long as its parent."""

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
    parser.add_argument("--stop-with-parent", action="store_true", help="stop when standard input is closed")


def serve(app: FastAPI, *, port: int, stop_with_parent: bool) -> None:
    """Serves `app` until a signal arrives, or with `stop_with_parent` until standard input is closed.

    Prints the address as the first line on standard output once the socket listens, so a reader of the address
    can connect immediately and needs neither a fixed port nor a start-up delay.
    """
    try:
        listener = socket.create_server(("127.0.0.1", port))
    except OSError as error:
        sys.exit(f"port {port} cannot be used ({error.strerror}); choose another one with --port")
    # asyncio sets it only for sockets created with an explicit protocol. Without it a response waits 40 ms for an ACK.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    # The connections of a hanging provider must not delay the shutdown.
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", timeout_graceful_shutdown=1))
    if stop_with_parent:
        threading.Thread(target=_stop_without_parent, args=(server,), daemon=True).start()
    server.run(sockets=[listener])
    if not server.started:
        sys.exit("the server did not start")


def _stop_without_parent(server: uvicorn.Server) -> None:
    """Stops the server when standard input is closed, which happens even if the parent is killed."""
    while os.read(STDIN, 1024):
        pass
    server.should_exit = True
