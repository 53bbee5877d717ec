"""Every public class of values works with pydantic and FastAPI. Classes of live objects are listed here."""

import copy
import dataclasses
import importlib
import inspect
import pickle
import pkgutil
import re
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.errors import PydanticSchemaGenerationError

import halfopen
from halfopen import CircuitBreaker, CircuitBreakerConfig
from halfopen.orchestration import Break, Need, Provider, Resume, Settings

LIVE = {
    "halfopen": {"CircuitBreaker", "ManualClock", "Permit", "Registry", "Session"},
    "halfopen.aiohttp": {"BreakerPerHost", "BreakerPerKey", "CircuitBreakerMiddleware"},
    "halfopen.compat": {"CircuitBreaker"},
    "halfopen.compat.orchestration": {"ProviderOrchestrator"},
    "halfopen.fastapi": {"Installed"},
    "halfopen.orchestration": {"Orchestrator", "Session", "Stream"},
    "halfopen.recording": {"Recorder"},
    "halfopen.requests": {"CircuitBreakerAdapter"},
}
"""Live objects, which no document can hold: pydantic refuses a field of such a class at once."""


def public_classes() -> dict[type[Any], tuple[str, str]]:
    """Each with the first module that exports it, and its name there."""
    modules = [module.name for module in pkgutil.walk_packages(halfopen.__path__, "halfopen.")]
    found: dict[type[Any], tuple[str, str]] = {}
    for path in ["halfopen", *modules]:
        if not any(part.startswith("_") for part in path.split(".")):
            module = importlib.import_module(path)
            names = getattr(module, "__all__", None) or [
                name
                for name, value in vars(module).items()
                if not name.startswith("_") and getattr(value, "__module__", "") == path
            ]
            for name in names:
                value = getattr(module, name)
                if inspect.isclass(value) and not issubclass(value, BaseException):
                    found.setdefault(value, (path, name))
    return found


CLASSES = public_classes()
VALUES = [kind for kind, (path, name) in CLASSES.items() if name not in LIVE.get(path, ())]


def test_the_list_of_live_objects_is_not_longer_than_the_interface() -> None:
    listed = {(path, name) for path, names in LIVE.items() for name in names}
    assert listed <= set(CLASSES.values())


@pytest.mark.parametrize("kind", set(CLASSES) - set(VALUES), ids=lambda kind: kind.__qualname__)
def test_a_live_object_is_refused_at_once(kind: type[Any]) -> None:
    with pytest.raises(PydanticSchemaGenerationError):
        TypeAdapter(kind)


@pytest.mark.parametrize("kind", VALUES, ids=lambda kind: f"{kind.__module__}.{kind.__qualname__}")
def test_a_value_is_described_by_pydantic_and_by_fastapi(kind: type[Any]) -> None:
    adapter = TypeAdapter[Any](kind)
    assert adapter.json_schema(mode="validation")
    assert adapter.json_schema(mode="serialization")
    app = FastAPI()
    app.get("/", response_model=kind)(lambda: None)
    with TestClient(app) as client:
        assert client.get("/openapi.json").status_code == 200


PROVIDER = Provider("a", CircuitBreakerConfig(name="x", failure_threshold=3), capabilities=["chat"], limit=5)


@pytest.mark.parametrize(
    "value", [Need(["chat", "tools"], size=5), Need(), PROVIDER, Provider("b", CircuitBreaker("b"), tier=1)]
)
def test_what_an_orchestrator_takes_is_read_and_written(value: Need | Provider) -> None:
    adapter = TypeAdapter[Any](type(value))
    assert adapter.validate_python(value) is value
    assert adapter.validate_python(adapter.dump_python(value)) == value
    assert adapter.validate_json(adapter.dump_json(value)) == value


class Held(BaseModel):
    """A model of an application."""

    value: Any


@pytest.mark.parametrize(
    "value",
    [CircuitBreakerConfig(name="a"), Need(["chat"], size=5), PROVIDER, Resume("on", need=Need()), Settings()],
    ids=lambda value: type(value).__name__,
)
def test_a_model_with_a_value_is_copied_and_pickled(value: Any) -> None:
    model = Held(value=value)
    for copied in (copy.copy(value), copy.deepcopy(value), pickle.loads(pickle.dumps(value))):
        assert copied == value
    assert model.model_copy(deep=True) == pickle.loads(pickle.dumps(model)) == model


@pytest.mark.parametrize(
    "value",
    [Need(), Need(["it's", "a\tb", "zero\u200bwidth"], size=5), Resume(), Resume("on", 5, need=Need(["a"])),
     Resume(need=Need())],
)  # fmt: skip
def test_the_repr_of_a_need_and_of_a_resume_is_python(value: Need | Resume) -> None:
    assert eval(repr(value), {"Need": Need, "Resume": Resume}) == value


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        (CircuitBreakerConfig, {"timeout_seconds": 5}),
        (Need, {"capabilities": ["chat"], "size": 5}),
        (Provider, {"id": "a"}),
        (Resume, {"args": ["on"], "need": {"size": 5}}),
        (Settings, {"max_attempts": 5}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_route_reads_a_value_from_its_body(kind: type[Any], given: dict[str, Any]) -> None:
    app = FastAPI()

    def route(value: Any) -> Any:
        return value

    route.__annotations__ = {"value": kind, "return": kind}
    app.post("/")(route)
    with TestClient(app) as client:
        adapter = TypeAdapter[Any](kind)
        answer = client.post("/", json=given)
        assert answer.json() == adapter.dump_python(adapter.validate_python(given), mode="json")
        assert client.post("/", json={**given, "typo": 1}).status_code == 422


def test_a_need_is_a_dataclass() -> None:
    need = Need(["chat"], size=5)
    assert dataclasses.asdict(need) == {"capabilities": ["chat"], "size": 5}
    assert dataclasses.replace(need, size=6) == Need(["chat"], size=6)


def test_resumes_are_equal_by_their_parts() -> None:
    assert {Resume("on"), Resume("on")} == {Resume("on")}
    assert Resume("on") not in (Resume("off"), Resume("on", need=Need()), "on")


def test_a_provider_of_a_document_has_its_configuration_and_any_collection_of_abilities() -> None:
    adapter = TypeAdapter(Provider)
    read = adapter.validate_json(adapter.dump_json(PROVIDER))
    assert isinstance(read.breaker, CircuitBreakerConfig)
    assert read.breaker == PROVIDER.breaker
    live = adapter.dump_python(Provider("b", CircuitBreaker("b", failure_threshold=3)), mode="json")
    assert live["breaker"] == CircuitBreakerConfig(name="b", failure_threshold=3).model_dump()
    assert adapter.validate_python({"id": "a", "capabilities": {"chat"}}).capabilities == ("chat",)


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        (Need, {"size": -1}),
        (Need, {"capabilities": "chat"}),
        (Need, {"typo": 1}),
        (Provider, {"id": ""}),
        (Provider, {"id": "a", "capabilities": "chat"}),
        (Provider, {"id": "a", "capabilities": [1]}),
        (Provider, {"id": "a", "breaker": {"timeout_seconds": 0}}),
        (Provider, {"id": "a", "typo": 1}),
        (Resume, {"need": 5}),
        (Resume, {"typo": 1}),
        (Settings, {"typo": 1}),
    ],
)
def test_what_it_would_not_take_is_refused_by_pydantic(kind: type[Any], given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter[Any](kind).validate_python(given)


BAD = (object(), -1, 5, "typo", {"typo": 1}, [-1])


def names_in(schema: object) -> set[str]:
    """The names of the fields in a JSON schema."""
    if isinstance(schema, list):
        return set().union(*map(names_in, schema))
    if not isinstance(schema, dict):
        return set()
    properties = schema.get("properties", {})
    return set(properties).union(*map(names_in, schema.values()))


@pytest.mark.parametrize("kind", VALUES, ids=lambda kind: f"{kind.__module__}.{kind.__qualname__}")
def test_the_location_of_a_refusal_consists_of_names_and_indices(kind: type[Any]) -> None:
    adapter = TypeAdapter[Any](kind)
    # The schema of a named tuple has no names.
    names = names_in(adapter.json_schema()) | {"typo", *getattr(kind, "_fields", ())}
    bad = [*BAD, *({name: value} for name in names for value in BAD)]
    for given in bad:
        try:
            adapter.validate_python(given)
        except ValidationError as refused:
            parts = {part for line in refused.errors() for part in line["loc"] if not isinstance(part, int)}
            assert parts <= names, (given, parts - names)


@pytest.mark.parametrize(
    ("kind", "given", "location", "allowed"),
    [
        (CircuitBreakerConfig, {"timeout_seconds": 0}, ["timeout_seconds"], "above 0"),
        (Need, {"size": -1}, ["size"], "greater than or equal to 0"),
        (Resume, {"need": {"size": -1}}, ["need", "size"], "greater than or equal to 0"),
        (Settings, {"max_attempts": 0}, ["max_attempts"], "max_attempts = 0 .* at least 1"),
        (Settings, {"deadline_seconds": -1}, ["deadline_seconds"], "deadline_seconds = -1 .* above 0"),
        (Settings, {"min_health": 1.5}, ["min_health"], "min_health = 1.5 .* from 0 to 1"),
        (Settings, {"hedge_percentile": 100}, ["hedge_percentile"], "hedge_percentile = 100 .* from 50 to 99"),
        (Settings, {"on_break": "continue"}, ["on_break"], "on_break = 'continue' .*\"raise\", \"restart\""),
        (Provider, {"id": ""}, ["id"], "id = '' .* not empty"),
        (Provider, {"id": "a", "tier": -1}, ["tier"], "tier = -1 .* from 0"),
        (Provider, {"id": "a", "max_concurrent_calls": 0}, ["max_concurrent_calls"], "from 1"),
        (Provider, {"id": "a", "breaker": {"failure_threshold": 0}}, ["breaker", "failure_threshold"], "from 1"),
    ],
)  # fmt: skip
def test_a_route_refuses_a_value_with_its_field_and_what_is_allowed(
    kind: type[Any], given: dict[str, Any], location: list[str], allowed: str
) -> None:
    app = FastAPI()

    def route(value: Any) -> None:
        raise NotImplementedError

    route.__annotations__ = {"value": kind}
    app.post("/")(route)
    with TestClient(app) as client:
        answer = client.post("/", json=given)
    (line,) = answer.json()["detail"]
    assert (answer.status_code, line["loc"]) == (422, ["body", *location])
    assert re.search(allowed, line["msg"])


def test_a_break_is_written_without_the_text_of_its_error_and_a_resume_is_read() -> None:
    broken = Break("a", ValueError("secret"), ["item"], ("question",))
    assert TypeAdapter(Break).dump_python(broken, mode="json") == {
        "provider": "a",
        "error": "ValueError",
        "items": ["item"],
        "args": ["question"],
    }
    adapter = TypeAdapter(Resume)
    read = adapter.validate_json(adapter.dump_json(Resume("on", need=Need(["prefill"]))))
    assert (read.args, read.need) == (("on",), Need(["prefill"]))
