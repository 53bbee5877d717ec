"""``Annotated[CircuitBreakerConfig, Depends()]``: FastAPI reads each field of a configuration from the query."""

import inspect
import json
from typing import Annotated, Any, get_args

import pytest
from fastapi import Cookie, Depends, FastAPI, Header, Query
from fastapi.encoders import jsonable_encoder
from fastapi.testclient import TestClient

import halfopen
from halfopen import compat
from halfopen.orchestration import Break, Need, Provider, Resume, Settings

KINDS = {"native": halfopen.CircuitBreakerConfig, "compat": compat.CircuitBreakerConfig}


def client_of(kind: type[Any], how: object = Depends()) -> TestClient:
    app = FastAPI()

    def route(config: Any) -> Any:
        return config

    route.__annotations__ = {"config": Annotated[kind, how]}
    app.get("/")(route)
    return TestClient(app)


def parameters(kind: type[Any]) -> dict[str, Any]:
    with client_of(kind) as client:
        described = client.get("/openapi.json").json()["paths"]["/"]["get"]["parameters"]
    assert {it["in"] for it in described} == {"query"}
    return {it["name"]: it["schema"] for it in described}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_every_field_is_a_parameter_with_its_default(kind: type[Any]) -> None:
    with client_of(kind) as client:
        assert client.get("/").json() == jsonable_encoder(kind())
        assert client.get("/", params={"failure_threshold": "3", "name": "7", "timeout_seconds": "1.5"}).json() == (
            jsonable_encoder(kind(failure_threshold=3, name="7", timeout_seconds=1.5))
        )


def test_every_value_of_a_configuration_is_read_from_its_text() -> None:
    config = halfopen.CircuitBreakerConfig(
        name="true",
        failure_threshold=None,
        failure_rate_threshold=0.5,
        slow_call_seconds=2,
        slow_call_rate_threshold=1,
        window={"seconds": 30},
        minimum_calls=20,
        max_timeout_seconds=90,
        shadow=True,
    )
    given = config.model_dump()
    texts = {name: value if name == "name" else json.dumps(value) for name, value in given.items()}
    with client_of(halfopen.CircuitBreakerConfig) as client:
        assert client.get("/", params=texts).json() == given
        assert client.get("/", params={"shadow": "True", "timeout_jitter": "1"}).json()["shadow"] is True


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize(
    ("field", "text", "says"),
    [
        ("failure_threshold", "0", "from 1 to 65535"),
        ("failure_threshold", "2.5", "whole number|integer"),
        ("timeout_seconds", "0", "above 0"),
        ("timeout_seconds", "soon", "number"),
        ("success_threshold", "256", "from 1 to 255"),
        ("half_open_max_calls", "-1", "from 1 to 255"),
        ("name", "", "1 to 128 printable characters"),
    ],
)
def test_a_refused_value_is_answered_by_422(kind: type[Any], field: str, text: str, says: str) -> None:
    with client_of(kind) as client:
        answer = client.get("/", params={field: text})
    (line,) = answer.json()["detail"]
    assert (answer.status_code, line["loc"]) == (422, ["query", field])
    assert any(word in line["msg"] for word in says.split("|"))


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("window", "100"),
        ("window", '{"calls": 0}'),
        ("minimum_calls", "0"),
        ("timeout_multiplier", "0.5"),
        ("max_timeout_seconds", "0"),
        ("shadow", "maybe"),
        ("failure_rate_threshold", "1.5"),
    ],
)
def test_a_field_of_the_core_is_refused_by_422(field: str, text: str) -> None:
    with client_of(halfopen.CircuitBreakerConfig) as client:
        answer = client.get("/", params={field: text})
    (line,) = answer.json()["detail"]
    assert (answer.status_code, line["loc"], line["type"]) == (422, ["query", field], "invalid_value")
    assert f"{field} = " in line["msg"]


def test_a_rule_of_several_fields_raises_our_error() -> None:
    with (
        client_of(halfopen.CircuitBreakerConfig) as client,
        pytest.raises(halfopen.InvalidValueError, match="max_timeout_seconds = 30"),
    ):
        client.get("/", params={"max_timeout_seconds": "30"})


@pytest.mark.filterwarnings("error")
def test_openapi_has_the_type_and_the_limits_of_each_parameter() -> None:
    native = parameters(halfopen.CircuitBreakerConfig)
    assert list(native) == list(halfopen.CircuitBreakerConfig().model_dump())
    success = {"type": "integer", "minimum": 1, "maximum": 255, "default": 2}
    assert success.items() <= native["success_threshold"].items()
    assert native["failure_rate_threshold"]["anyOf"][0]["exclusiveMinimum"] == 0
    # A value of the query is a text.
    assert {"type": "string", "contentMediaType": "application/json"}.items() <= native["window"].items()
    assert json.loads(native["window"]["default"]) == {"calls": 100}
    assert parameters(compat.CircuitBreakerConfig)["failure_threshold"]["minimum"] == 1


def test_the_size_of_a_need_is_read_from_the_query() -> None:
    with client_of(Need) as client:
        assert client.get("/", params={"size": "3"}).json() == {"capabilities": [], "size": 3}
        assert client.request("GET", "/", json=["chat"]).json() == {"capabilities": ["chat"], "size": 0}
        assert client.get("/", params={"size": "-1"}).status_code == 422
        assert client.get("/openapi.json").status_code == 200


@pytest.mark.parametrize("kind", [Settings, Provider, Need, Break, Resume], ids=lambda kind: kind.__name__)
def test_every_value_of_an_orchestrator_can_be_described_as_a_dependency(kind: type[Any]) -> None:
    assert parameters(kind)


def test_settings_are_read_from_the_query() -> None:
    with client_of(Settings) as client:
        assert client.get("/", params={"max_attempts": "5"}).json()["max_attempts"] == 5
    # No text is a function.
    assert parameters(Settings)["on_switch"]["type"] == "null"


def test_a_signature_is_made_of_types() -> None:
    hints = {name: it.annotation for name, it in inspect.signature(halfopen.CircuitBreakerConfig).parameters.items()}
    assert get_args(hints["success_threshold"])[0] is int
    assert get_args(hints["failure_threshold"])[0] == int | None
    assert get_args(inspect.signature(Need).parameters["size"].annotation)[0] == int | None


@pytest.mark.parametrize(
    ("how", "name", "url", "headers"),
    [
        (Query(), "success_threshold", "/?success_threshold={}", {}),
        (Header(), "success-threshold", "/", {"success-threshold": "{}"}),
        (Cookie(), "success_threshold", "/", {"cookie": "success_threshold={}"}),
    ],
)
def test_the_model_of_compat_is_a_model_of_parameters(how: Any, name: str, url: str, headers: dict[str, str]) -> None:
    with client_of(compat.CircuitBreakerConfig, how) as client:
        accepted, refused = (
            client.get(url.format(text), headers={name: value.format(text) for name, value in headers.items()})
            for text in ("3", "0")
        )
    assert accepted.json()["success_threshold"] == 3
    assert (refused.status_code, refused.json()["detail"][0]["loc"][1]) == (422, name)
