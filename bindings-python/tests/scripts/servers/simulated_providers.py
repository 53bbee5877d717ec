"""An application with an orchestrator on a free port, which it prints. Its three providers fail as they are told."""

import socket

import uvicorn
from fastapi import FastAPI, HTTPException

from halfopen import CircuitBreakerConfig
from halfopen.fastapi import install
from halfopen.orchestration import Orchestrator, Provider

statuses: dict[str, int] = {}


class StatusError(Exception):
    def __init__(self, status: int) -> None:
        super().__init__(f"status {status}")
        self.status_code = status


def provider(name: str, tier: int = 0) -> Provider:
    config = CircuitBreakerConfig(name=name, failure_threshold=1, success_threshold=1, timeout_seconds=1)
    return Provider(name, config, tier=tier, model=f"{name}-large")


orchestrator = Orchestrator(
    [provider("openai"), provider("gemini"), provider("local", tier=1)], strategy="round_robin", slow_start_seconds=30
)
app = FastAPI()
install(app, orchestrators=[orchestrator], operator=lambda: "ada", stream_seconds=2.0)


async def ask(provider: Provider) -> str:
    status = statuses.get(provider.id, 200)
    if status != 200:
        raise StatusError(status)
    return provider.id


@app.get("/say")
async def say() -> str:
    return await orchestrator.call(ask)


@app.put("/simulated/{name}/{status}")
async def simulate(name: str, status: int) -> None:
    if name not in {provider.id for provider in orchestrator.providers}:
        raise HTTPException(404)
    statuses[name] = status


if __name__ == "__main__":
    with socket.create_server(("127.0.0.1", 0)) as listening:
        print(listening.getsockname()[1], flush=True)
        uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listening])
