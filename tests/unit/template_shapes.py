"""The expanded template taken apart, for the tests of its policies."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from local.template import Template, expand


@cache
def expanded() -> Template:
    """Expanded once a run; nobody changes it."""
    return expand()


def of_type(template: Template, kind: str) -> dict[str, dict[str, Any]]:
    """Properties by logical id."""
    return {
        name: resource.get("Properties", {})
        for name, resource in template["Resources"].items()
        if resource["Type"] == kind
    }


def statements(role: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A role's or policy's own statements, those behind a condition included."""
    documents = [policy["PolicyDocument"] for policy in role.get("Policies", [])]
    documents += [role["PolicyDocument"]] if "PolicyDocument" in role else []
    for document in documents:
        for statement in document["Statement"]:
            yield statement["Fn::If"][1] if "Fn::If" in statement else statement


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def reserved(function: dict[str, Any]) -> int:
    """How many of a function may run at once, where concurrency is reserved."""
    condition, count, _ = function["ReservedConcurrentExecutions"]["Fn::If"]
    assert condition == "ReservesConcurrency"
    assert isinstance(count, int)
    return count


def gateway_answers(template: Template) -> dict[str, tuple[str, dict[str, Any]]]:
    """Status and body of each gateway response, by its type."""
    found = {}
    for kind, response in template["Resources"]["Api"]["Properties"]["GatewayResponses"].items():
        body = json.loads(response["ResponseTemplates"]["application/json"])
        found[kind] = (response["StatusCode"], body)
    return found


def operations(template: Template) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for api in of_type(template, "AWS::ApiGateway::RestApi").values():
        for path, methods in api["Body"]["paths"].items():
            for method, operation in methods.items():
                yield path, method, operation


def firewall_answers(template: Template) -> dict[str, tuple[str, dict[str, Any]]]:
    """Status and body of each rule of our own that blocks, by its name."""
    (firewall,) = of_type(template, "AWS::WAFv2::WebACL").values()
    found = {}
    for rule in firewall["Rules"]:
        if "Action" in rule:
            told = rule["Action"]["Block"]["CustomResponse"]
            body = firewall["CustomResponseBodies"][told["CustomResponseBodyKey"]]
            assert body["ContentType"] == "APPLICATION_JSON"
            found[rule["Name"]] = (str(told["ResponseCode"]), json.loads(body["Content"]))
    return found


def variables(template: Template) -> dict[str, set[str]]:
    """The names of what each function is told; a value of nothing takes a global one away."""
    return {
        name: {
            variable
            for variable, value in function["Environment"]["Variables"].items()
            if value != {"Ref": "AWS::NoValue"}
        }
        for name, function in of_type(template, "AWS::Lambda::Function").items()
    }
