"""The OpenAPI document: complete, in step with the code, and true in both directions."""

import ast
import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from agent_where.contract.operations import FAILURES, Operation
from agent_where.contract.routes import ROUTES
from agent_where.errors import BadInput
from agent_where.openapi import VERSION, document, served
from agent_where.parsing import parse_object, validate
from agent_where.spec.examples import Examples, examples_of
from agent_where.spec.keys import KEYS, PLACES
from agent_where.spec.schemas import named
from agent_where.spec.words import SCHEMAS
from local.openapi import documents
from local.template import load
from tests.unit.schema_values import CONTROLS, SIGNALS, SIZES

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "layers" / "core" / "agent_where"
Route = Operation[Any, Any, Any]
NEVER_OVER_HTTP = {"UNKNOWN_ORDER", "UNKNOWN_FILL", "BAD_TOKEN_SYMBOL", "TOO_LATE"}
BY_NAME = pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)


@cache
def whole() -> dict[str, Any]:
    return document()


def operation(route: Route) -> dict[str, Any]:
    found: dict[str, Any] = whole()["paths"][route.path][route.method.lower()]
    return found


def validator(schema: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(
        {"$ref": f"#/components/schemas/{schema}", "components": whole()["components"]},
        format_checker=jsonschema.FormatChecker(("uuid", "date")),
    )


def query_validator(route: Route) -> jsonschema.Draft202012Validator:
    parameters = [each for each in operation(route)["parameters"] if each["in"] == "query"]
    return jsonschema.Draft202012Validator(
        {
            "type": "object",
            "properties": {each["name"]: each["schema"] for each in parameters},
            "required": [each["name"] for each in parameters if each["required"]],
            "additionalProperties": False,
            "components": whole()["components"],
        }
    )


def takes(model: type[BaseModel], body: object) -> bool:
    """Whether the code takes a body, as it would come in."""
    try:
        validate(model, parse_object(json.dumps(body)))
    except BadInput:
        return False
    return True


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.name)
def test_what_stands_in_docs_is_what_the_code_makes(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == documents()[path], "run `make openapi`"


def test_the_page_loads_nothing_and_runs_nothing() -> None:
    html = next(text for path, text in documents().items() if path.suffix == ".html")

    assert re.findall(r"<(?:script|link|img|iframe|object|embed|base)\b|@import|url\(", html) == []
    assert set(re.findall(r'\b(?:href|src)="([^"]*)"', html)) <= {
        f"#{name}" for name in re.findall(r' id="([^"]*)"', html)
    }


def test_the_version_is_the_projects() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    assert project["version"] == VERSION


def test_what_is_served_is_the_document() -> None:
    assert json.loads(served().model_dump_json(by_alias=True)) == whole()


@BY_NAME
def test_every_route_is_described_with_its_scope_and_every_status(route: Route) -> None:
    told = operation(route)

    assert told["operationId"] == route.name
    assert told["summary"]
    assert told.get("x-required-scope") == route.scope
    assert told["security"] == ([{"bearer": [route.scope]}] if route.scope else [])
    statuses = {str(FAILURES[code].status.value) for code in route.codes}
    assert told["responses"].keys() == statuses | {str(route.status.value)}
    assert ("requestBody" in told) == route.has_body


def test_every_reference_leads_somewhere_and_every_component_is_referred_to() -> None:
    found = set(re.findall(r'"#/components/(\w+/\w+)"', json.dumps(whole())))
    components = {
        f"{kind}/{name}"
        for kind in ("schemas", "responses")
        for name in whole()["components"][kind]
    }

    assert found == components


def test_no_word_is_left_over() -> None:
    named_ = {named(route.query.__name__) for route in ROUTES if route.has_query}
    schemas = whole()["components"]["schemas"]
    keys = {key for schema in schemas.values() for key in schema.get("properties", {})}
    parameters = {
        each["name"] for route in ROUTES for each in operation(route).get("parameters", [])
    }

    assert KEYS.keys() - keys - parameters == set()
    assert SCHEMAS.keys() - schemas.keys() - named_ == set()
    known = {place.split(".")[0] for place in PLACES}
    assert known - schemas.keys() - named_ == set()


# Examples


@BY_NAME
def test_every_route_has_examples_of_what_it_takes_and_answers(route: Route) -> None:
    examples = examples_of(route.name)

    assert bool(examples.requests) == route.has_body
    assert bool(examples.query) == route.has_query
    assert (examples.id is not None) == route.has_id
    assert examples.answers or route.name == "getOpenApi"


@BY_NAME
def test_every_example_of_a_request_is_taken_by_model_and_schema(route: Route) -> None:
    examples = examples_of(route.name)

    for body in examples.requests.values():
        validate(route.body, parse_object(json.dumps(body)))
        validator(named(route.body.__name__)).validate(dict(body))
    if route.has_query:
        validate(route.query, {name: str(value) for name, value in examples.query.items()})
        query_validator(route).validate(dict(examples.query))


@BY_NAME
def test_every_example_of_an_answer_is_what_its_model_writes(route: Route) -> None:
    for body in examples_of(route.name).answers.values():
        read = route.answer.model_validate_json(json.dumps(body))

        assert json.loads(read.model_dump_json(by_alias=True)) == body
        validator(named(route.answer.__name__)).validate(dict(body))


def test_every_file_of_examples_is_a_routes() -> None:
    files = {path.stem for path in (PACKAGE / "spec" / "examples").glob("*.json")}

    assert files <= {route.name for route in ROUTES}
    assert examples_of("none") == Examples()


# Failures


def raised_codes() -> Iterator[str]:
    """Every code that an error for the caller is made with, and the codes of their classes."""
    for path in PACKAGE.rglob("*.py"):
        if path.parts[-2] in ("venues", "hyperliquid", "ostium", "execution", "routing"):
            continue  # what a venue refuses is told in an order, not in an answer
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id="BadInput" | "Conflict"), keywords=keywords):
                    for keyword in keywords:
                        if keyword.arg == "code" and isinstance(keyword.value, ast.Constant):
                            yield str(keyword.value.value)
                case ast.Assign(targets=[ast.Name(id="code")], value=ast.Constant(value=str(code))):
                    yield code


def test_every_code_that_is_raised_is_documented() -> None:
    raised = {code for code in raised_codes() if re.fullmatch("[A-Z_]+", code)}

    assert "BAD_JSON" in raised
    assert raised - FAILURES.keys() - NEVER_OVER_HTTP == set()


def test_every_code_is_one_that_some_route_answers() -> None:
    answered = {code for route in ROUTES for code in route.codes}

    assert FAILURES.keys() - answered - NEVER_OVER_HTTP == set()


def test_api_gateway_answers_only_what_is_documented() -> None:
    for name, response in load()["Resources"]["Api"]["Properties"]["GatewayResponses"].items():
        told = json.loads(response["ResponseTemplates"]["application/json"])

        assert str(FAILURES[told["code"]].status.value) == response["StatusCode"], name
        validator("Failure").validate(told)


def test_docs_list_every_route_with_its_scope_and_every_code() -> None:
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `(\w+) (/[^` ?]*)[^`]*` \| ([^|]*) \|", text, re.MULTILINE)
    codes = {code for route in ROUTES for code in route.codes}

    assert listed == [
        (route.method, route.path, f"`{route.scope}`" if route.scope else "none")
        for route in ROUTES
    ]
    assert {code for code in codes if f"`{code}`" not in text} == set()


# Schema and model, held against each other


def agree(schema: str, model: type[BaseModel], body: Mapping[str, Any]) -> None:
    allowed = validator(schema).is_valid(dict(body))

    assert allowed == takes(model, body), (allowed, body)


@given(SIGNALS)
def test_a_signal_is_allowed_where_it_is_taken(body: Mapping[str, Any]) -> None:
    agree("NewSignal", _model("sendSignal"), body)


@given(CONTROLS)
def test_a_control_is_allowed_where_it_is_taken(body: Mapping[str, Any]) -> None:
    agree("NewControl", _model("setControl"), body)


@given(SIZES)
def test_limits_are_allowed_where_they_are_taken(body: Mapping[str, Any]) -> None:
    agree("DeploymentChange", _model("changeDeployment"), body)


@given(st.text(max_size=105))
def test_a_name_is_allowed_where_it_is_taken(name: str) -> None:
    agree("AgentChange", _model("changeAgent"), {"name": name})


@given(st.integers(-40_000, 40_000) | st.sampled_from([5.0, 5.5, "5", True, None]))
def test_a_weight_is_allowed_where_it_is_taken(weight: object) -> None:
    agree("AgentChange", _model("changeAgent"), {"weights": [weight]})


def _model(name: str) -> type[BaseModel]:
    found: type[BaseModel] = next(route.body for route in ROUTES if route.name == name)
    return found
