"""A real server of grpc for the tests."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import Any

import grpc

# The options of a channel for each of the ways in which grpc receives the items of a stream.
OPTIONS: list[list[tuple[str, int]]] = [[], [("SingleThreadedUnaryStream", 1)]]


@contextmanager
def serving(handler: Any = None) -> Iterator[str]:
    """A server with a handler, by default the one below, and its address."""
    server = grpc.server(ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers((handler or Handler(),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(None).wait()


class Handler(grpc.GenericRpcHandler):  # type: ignore[misc]  # it has no types
    """Serves methods by name.

    ``broken``, ``invalid`` and ``cancelled`` end with an error, ``hanging`` waits until its caller cancels it.
    """

    def service(self, handler_call_details: Any) -> Any:
        kind, _, name = handler_call_details.method.strip("/").partition("/")

        def hang(context: Any) -> None:
            ended = Event()
            context.add_callback(ended.set)
            ended.wait(30)

        def answer(_: bytes, context: Any) -> bytes:
            if name == "hanging":
                hang(context)
            if name == "cancelled":
                context.abort(grpc.StatusCode.CANCELLED, "no")
            if name == "broken":
                context.abort(grpc.StatusCode.UNAVAILABLE, "no")
            if name == "invalid":
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, "no")
            return b"answer"

        def items(_: bytes, context: Any) -> Iterator[bytes]:
            if name == "hanging":
                hang(context)
            yield b"1"
            yield b"2"
            if name == "broken":
                context.abort(grpc.StatusCode.UNAVAILABLE, "no")

        def echo(requests: Iterator[bytes], context: Any) -> Iterator[bytes]:
            for request in requests:
                yield request
                if name == "broken":
                    context.abort(grpc.StatusCode.UNAVAILABLE, "no")

        if kind == "both":
            return grpc.stream_stream_rpc_method_handler(echo)
        return (
            grpc.unary_stream_rpc_method_handler(items)
            if kind == "stream"
            else grpc.unary_unary_rpc_method_handler(answer)
        )
