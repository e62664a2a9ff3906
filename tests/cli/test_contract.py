"""The client's requests and the answers it is tested on, held against the API's own contract."""

import re
from typing import Any

import jsonschema
import pytest

from agent_where.contract.bodies import NoBody
from agent_where.contract.operations import Operation
from agent_where.contract.routes import ROUTES
from agent_where.parsing import validate
from tests.cli.examples import EXAMPLES, Example

every_example = pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)


def route(example: Example) -> Operation[Any, Any, Any]:
    (found,) = (
        each
        for each in ROUTES
        if each.method == example.method
        and re.fullmatch(each.path.replace("{id}", "[0-9a-f-]{36}"), example.path)
    )
    return found


@every_example
def test_the_api_takes_what_the_client_sends(example: Example) -> None:
    operation = route(example)

    validate(operation.query, dict(example.query))
    if example.body is None:
        assert operation.body is NoBody
    else:
        validate(operation.body, dict(example.body))
    assert operation.status == example.status


@every_example
def test_the_examples_are_answers_of_the_api(example: Example) -> None:
    """Key by key: a key too few or too many is a fault."""
    schema = route(example).answer.model_json_schema(mode="serialization")

    jsonschema.validate(dict(example.answer), closed(schema))


def closed(schema: Any) -> Any:
    """The schema with every object limited to the keys that it names."""
    match schema:
        case {"properties": _, **_rest}:
            told = {key: closed(each) for key, each in schema.items()}
            return {"additionalProperties": False, **told}
        case dict():
            return {key: closed(each) for key, each in schema.items()}
        case list():
            return [closed(each) for each in schema]
        case _:
            return schema
