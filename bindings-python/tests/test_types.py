"""Every public type works with pydantic and FastAPI, prints in the usual form, can be copied and has help."""

import copy
import dataclasses
import enum
import inspect
import json
import pickle
import pprint
import pydoc
import subprocess
import sys
import typing
from datetime import UTC, datetime
from typing import Any, get_args

import pytest
from fastapi import FastAPI
from fastapi.encoders import jsonable_encoder
from fastapi.testclient import TestClient
from pydantic import BaseModel, TypeAdapter, ValidationError, create_model
from pydantic_settings import BaseSettings, SettingsConfigDict

import halfopen
from counting import lived
from halfopen import (
    CircuitBreaker,
    CircuitBreakerConfig,
    CircuitBreakerMetrics,
    CircuitBreakerOpenError,
    CircuitBreakerState,
    CircuitBreakerStatus,
    Durations,
    Event,
    InvalidValueError,
    NameConflictError,
    Registry,
    RegistryFullError,
    types,
)

CONFIG = CircuitBreakerConfig(name="gemini", failure_threshold=None, failure_rate_threshold=0.5, window={"seconds": 30})
VALUES: dict[str, tuple[Any, Any]] = {
    "configuration": (CircuitBreakerConfig, CONFIG),
    "state": (CircuitBreakerState, CircuitBreakerState.HALF_OPEN),
    "metrics": (CircuitBreakerMetrics, lived().metrics),
    "event": (Event, lived().events()[0]),
    "durations": (Durations, lived().durations()["success"]),
    "durations by outcome": (dict[str, Durations], lived().durations()),
    "status": (CircuitBreakerStatus, lived().get_status()),
    "window": (types.Window, {"calls": 5}),
    "raw status": (types.RawStatus, lived()._read_status()),
    "raw event": (types.RawEvent, lived()._read_events(0)[0]),
} | {
    f"{name} {value}": (getattr(types, name), value)
    for name in ("Outcome", "State", "Mode", "Reason", "Cause")
    for value in get_args(getattr(types, name))
}


@pytest.mark.parametrize("name", VALUES)
def test_pydantic_validates_writes_and_describes_it(name: str) -> None:
    kind, value = VALUES[name]
    adapter = TypeAdapter[Any](kind)
    assert adapter.validate_python(value) == value
    assert adapter.validate_python(adapter.dump_python(value)) == value
    assert adapter.validate_python(adapter.dump_python(value, mode="json")) == value
    assert adapter.validate_json(adapter.dump_json(value)) == value
    assert adapter.json_schema(mode="validation")
    assert adapter.json_schema(mode="serialization")


@pytest.mark.parametrize("name", VALUES)
def test_it_is_a_field_of_a_model(name: str) -> None:
    kind, value = VALUES[name]
    fields: dict[str, Any] = {"field": (kind, ...), "perhaps": (kind | None, None)}
    Model = create_model("Model", **fields)  # noqa: N806
    model = Model(field=value)
    assert Model.model_validate(model.model_dump(mode="json")) == model
    assert Model.model_validate_json(model.model_dump_json()) == model
    assert pickle.loads(pickle.dumps(model.model_dump())) == model.model_dump()
    assert Model.model_json_schema()["properties"].keys() == {"field", "perhaps"}


@pytest.mark.parametrize("name", VALUES)
def test_fastapi_answers_with_it_and_describes_it(name: str) -> None:
    kind, value = VALUES[name]
    app = FastAPI()
    app.get("/", response_model=kind)(lambda: value)
    with TestClient(app) as client:
        answer = client.get("/")
        assert answer.status_code == 200
        assert TypeAdapter[Any](kind).validate_json(answer.content) == value
        described = client.get("/openapi.json").json()["paths"]["/"]["get"]["responses"]["200"]
    assert described["content"]["application/json"]["schema"]


def test_a_configuration_is_the_body_of_a_request() -> None:
    app = FastAPI()

    @app.put("/config")
    def put(config: CircuitBreakerConfig) -> CircuitBreakerConfig:
        return config.model_copy(update={"shadow": True})

    with TestClient(app) as client:
        changed = CircuitBreakerConfig(name="a", shadow=True)
        assert client.put("/config", json={"name": "a"}).json() == changed.model_dump(mode="json")
        refused = client.put("/config", json={"timeout_seconds": 0})
        assert refused.status_code == 422
        (error,) = refused.json()["detail"]
        assert error["loc"] == ["body", "timeout_seconds"]
        assert error["msg"] == (
            "timeout_seconds = 0 is refused: allowed is a number of seconds above 0, at most 31536000 (one year)"
        )
        schema = client.get("/openapi.json").json()["components"]["schemas"]["CircuitBreakerConfig"]
    assert schema["properties"]["success_threshold"] == {
        "type": "integer",
        "minimum": 1,
        "maximum": 255,
        "default": 2,
        "description": "Consecutive probe successes that close the circuit. Allowed: a whole number from 1 to 255.",
    }


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ({"timeout_seconds": -1}, ("config", "timeout_seconds")),
        ({"typo": 5}, ("config", "typo")),
        ({"slow_call_rate_threshold": 0.5}, ("config", "slow_call_rate_threshold")),
        ({"failure_threshold": None}, ("config", "failure_threshold")),
        ({"name": "{text}"[:0]}, ("config", "name")),
        (5, ("config",)),
        (None, ("config",)),
        ({1: 5}, ("config",)),
    ],
)
def test_pydantic_names_the_refused_field(given: Any, place: tuple[str, ...]) -> None:
    class Model(BaseModel):
        config: CircuitBreakerConfig

    with pytest.raises(ValidationError) as caught:
        Model(config=given)
    (error,) = caught.value.errors()
    assert (error["type"], error["loc"]) == ("invalid_value", place)
    assert "is refused: allowed is" in error["msg"]
    with pytest.raises(InvalidValueError) as ours:
        CircuitBreakerConfig.model_validate(given)
    assert str(ours.value) == error["msg"]


def test_a_configuration_is_read_from_environment_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    class Settings(BaseSettings):
        model_config = SettingsConfigDict(env_nested_delimiter="__")
        gemini: CircuitBreakerConfig
        openai: CircuitBreakerConfig

    given = {
        "NAME": "5",
        "TIMEOUT_SECONDS": "30",
        "FAILURE_THRESHOLD": "null",
        "FAILURE_RATE_THRESHOLD": "0.5",
        "WINDOW__SECONDS": "60",
        "SHADOW": "True",
    }
    for name, text in given.items():
        monkeypatch.setenv(f"GEMINI__{name}", text)
    monkeypatch.setenv("OPENAI", '{"window": {"calls": 20}, "success_threshold": "3"}')
    settings = Settings()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    assert settings.gemini == CircuitBreakerConfig(
        name="5",
        timeout_seconds=30,
        failure_threshold=None,
        failure_rate_threshold=0.5,
        window={"seconds": 60},
        shadow=True,
    )
    assert settings.openai == CircuitBreakerConfig(window={"calls": 20}, success_threshold=3)


@pytest.mark.parametrize("text", ["soon", "", "-1", "nan", "Infinity", "1e999", "[" * 100_000, '"30"', "true"])
def test_pydantic_refuses_a_text_that_is_no_such_number(text: str) -> None:
    with pytest.raises(ValidationError, match=r"timeout_seconds = .* is refused"):
        TypeAdapter(CircuitBreakerConfig).validate_python({"timeout_seconds": text})


def test_a_configuration_validates_and_dumps_without_pydantic() -> None:
    assert CircuitBreakerConfig.model_validate(CONFIG) is CONFIG
    assert CircuitBreakerConfig.model_validate(CONFIG.model_dump(mode="json")) == CONFIG
    assert CircuitBreakerConfig.model_validate(json.loads(CONFIG.model_dump_json())) == CONFIG


def test_the_json_schema_has_each_field_with_its_default() -> None:
    properties = TypeAdapter(CircuitBreakerConfig).json_schema()["properties"]
    assert {name: field["default"] for name, field in properties.items()} == CircuitBreakerConfig().model_dump()


def test_halfopen_does_not_import_pydantic() -> None:
    check = "import sys, halfopen; sys.exit(any(name.startswith('pydantic') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0


def test_a_configuration_is_a_dataclass() -> None:
    names = [field.name for field in dataclasses.fields(CONFIG)]
    assert names == list(CONFIG.model_dump())
    assert dataclasses.asdict(CONFIG) == jsonable_encoder(CONFIG) == CONFIG.model_dump()
    assert dataclasses.replace(CONFIG, shadow=True) == CONFIG.model_copy(update={"shadow": True})
    with pytest.raises(InvalidValueError):
        dataclasses.replace(CONFIG, timeout_seconds=0)
    defaults = CircuitBreakerConfig().model_dump()
    for field in dataclasses.fields(CircuitBreakerConfig):
        assert field.kw_only
        assert (field.default, defaults[field.name])[field.name == "window"] == defaults[field.name]
    assert pprint.pformat(CONFIG) == repr(CONFIG)


def test_the_signature_and_the_help_of_a_configuration_list_its_fields() -> None:
    defaults = {name: it.default for name, it in inspect.signature(CircuitBreakerConfig).parameters.items()}
    assert defaults == CircuitBreakerConfig().model_dump()
    text = pydoc.render_doc(CircuitBreakerConfig)
    assert "that close the circuit. Allowed: a whole number from 1 to 255. Default: 2." in text
    assert [name for name in defaults if f"- ``{name}``: " not in text] == []


class Plain:
    """A ``StrEnum`` of this Python version, for comparison."""

    class CircuitBreakerState(str, enum.Enum):  # noqa: D106, UP042
        CLOSED = "closed"
        OPEN = "open"
        HALF_OPEN = "half_open"


@pytest.mark.parametrize("plain", Plain.CircuitBreakerState)
def test_a_state_prints_as_a_str_enum_does_on_this_version(plain: Plain.CircuitBreakerState) -> None:
    state = CircuitBreakerState(plain.value)

    def texts(member: Any) -> list[object]:
        texts = [str(member), repr(member), f"{member}", f"{member:>30}", f"{member!s}", f"{member!r}", format(member)]
        texts += ["%s" % member, "%r" % (member,), "{}".format(member), "-".join([member])]  # noqa: UP031, UP032
        return [*texts, json.dumps({member: member}), hash(member), member == plain.value, {member: 1}[plain.value]]

    assert texts(state) == texts(plain)
    assert pickle.loads(pickle.dumps(state)) is copy.deepcopy(state) is copy.copy(state) is state
    assert sorted([state, "d"]) == sorted([plain, "d"])
    assert state == plain.value
    assert isinstance(state, str)


COPIED: list[Any] = [
    *(value for _, value in VALUES.values()),
    CircuitBreakerOpenError("gemini", 12.3, "probes_busy"),
    InvalidValueError("name", '""', "1 to 128 printable characters"),
    NameConflictError("gemini", "window"),
    RegistryFullError(5),
]


@pytest.mark.parametrize("thing", COPIED, ids=lambda thing: type(thing).__name__)
def test_it_is_copied_and_pickled(thing: Any) -> None:
    copies = [copy.copy(thing), copy.deepcopy(thing)]
    copies += [pickle.loads(pickle.dumps(thing, protocol)) for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1)]
    for again in copies:
        assert type(again) is type(thing)
        if isinstance(thing, Exception):
            assert (str(again), again.args, vars(again)) == (str(thing), thing.args, vars(thing))
        else:
            assert again == thing


@pytest.mark.parametrize("kind", [CircuitBreaker, Registry])
def test_copying_a_breaker_raises_a_clear_error(kind: Any) -> None:
    made = kind(5) if kind is Registry else kind()
    with pytest.raises(TypeError, match="cannot pickle"):
        pickle.dumps(made)
    with pytest.raises(TypeError, match="cannot pickle"):
        copy.deepcopy(made)


@pytest.mark.parametrize(
    "config",
    [
        CONFIG,
        CircuitBreakerConfig(shadow=True, record_durations=False, max_timeout_seconds=1e6),
        *(CircuitBreakerConfig(name=name) for name in ("a=null", "'", '"', "\\", "'\"\\", "=None, shadow=True", "é→")),
    ],
    ids=str,
)
def test_the_repr_of_a_configuration_is_python(config: CircuitBreakerConfig) -> None:
    assert eval(repr(config), {"CircuitBreakerConfig": CircuitBreakerConfig}) == config
    assert "null" not in repr(config) or "null" in config.name


PUBLIC = [getattr(halfopen, name) for name in halfopen.__all__]


def functions_of(kind: type) -> list[Any]:
    return [
        member
        for name, member in inspect.getmembers(kind)
        if not name.startswith("_") and (inspect.isfunction(member) or isinstance(member, property))
    ]


@pytest.mark.parametrize("kind", PUBLIC, ids=lambda kind: kind.__name__)
def test_its_annotations_can_be_read(kind: type) -> None:
    typing.get_type_hints(kind)
    for function in functions_of(kind):
        for part in [function.fget, function.fset] if isinstance(function, property) else [function]:
            if part is not None:
                typing.get_type_hints(part)
                inspect.signature(part, eval_str=True)


@pytest.mark.parametrize("kind", PUBLIC, ids=lambda kind: kind.__name__)
def test_help_describes_it(kind: type) -> None:
    assert kind.__doc__
    assert kind.__name__ in pydoc.render_doc(kind)
    undocumented = [
        name
        for name, member in vars(kind).items()
        if not name.startswith("_")
        and (callable(member) or isinstance(member, property))
        and not inspect.getdoc(member)
        and not issubclass(kind, enum.Enum)
    ]
    assert undocumented == []
    assert not dataclasses.is_dataclass(kind) or kind.__doc__ != f"{kind.__name__}{inspect.signature(kind)}"


def test_a_decorated_function_keeps_annotations_that_are_strings() -> None:
    breaker = CircuitBreaker()
    namespace: dict[str, Any] = {"datetime": datetime, "UTC": UTC}
    source = "def ask(when: 'datetime', *, zone: 'datetime' = None) -> 'list[datetime]': return [when]"
    for prefix in ("", "async "):
        exec(prefix + source, namespace)
        guarded = breaker(namespace["ask"])
        assert inspect.signature(guarded) == inspect.signature(namespace["ask"])
        signature = inspect.signature(guarded, eval_str=True)
        assert signature.parameters["when"].annotation is datetime
        assert typing.get_type_hints(guarded)["return"] == list[datetime]


class Stored(BaseModel):
    config: CircuitBreakerConfig = CircuitBreakerConfig(name="gemini", window={"seconds": 30})


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ({"include": {"config": {"name", "window"}}}, {"name", "window"}),
        ({"exclude": {"config": {"name"}}}, set(CONFIG.model_dump()) - {"name"}),
        ({"exclude_defaults": True}, {"name", "window"}),
        ({"exclude_defaults": True, "exclude": {"config": {"name"}}}, {"window"}),
        ({"exclude_none": True}, {name for name, value in Stored().config.model_dump().items() if value is not None}),
    ],
    ids=repr,
)
def test_fields_of_a_configuration_are_left_out_as_those_of_a_model(options: dict[str, Any], kept: set[str]) -> None:
    stored = Stored(config=CircuitBreakerConfig(name="openai", window={"seconds": 60}))
    assert set(stored.model_dump(**options)["config"]) == kept
    assert set(json.loads(stored.model_dump_json(**options))["config"]) == kept


def test_a_route_leaves_out_fields_of_its_configuration() -> None:
    app = FastAPI()

    @app.get("/", response_model_exclude={"name"}, response_model_exclude_defaults=True)
    def get() -> CircuitBreakerConfig:
        return CircuitBreakerConfig(name="a", shadow=True)

    with TestClient(app) as client:
        assert client.get("/").json() == {"shadow": True}
