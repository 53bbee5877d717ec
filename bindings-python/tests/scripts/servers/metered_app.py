"""An application whose workers export metrics in ``prometheus_client``'s multiprocess mode."""

from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from metrics_of_workers import metrics

from halfopen import CircuitBreaker, CircuitBreakerOpenError
from halfopen.fastapi import breaker, install
from halfopen.prometheus import register

app = FastAPI()
install(app)
register()

OpenAI = Annotated[
    CircuitBreaker, Depends(breaker("openai", "azure", failure_threshold=3, timeout_seconds=0.2, success_threshold=1))
]


@app.get("/say")
async def say(openai: OpenAI, fails: bool) -> str:
    try:
        async with openai:
            if fails:
                raise ConnectionError
    except CircuitBreakerOpenError:
        raise
    except ConnectionError:
        raise HTTPException(502) from None
    return "hello"


app.get("/metrics")(metrics)
