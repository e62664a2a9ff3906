"""What stands before the functions in the expanded template: authorizer, answers, firewall."""

import json
import re
from typing import Any

import pytest

from agent_where.parsing import MAX_BODY_BYTES
from local.environment import ROOT
from local.template import Template, load
from tests.unit.template_shapes import (
    expanded,
    firewall_answers,
    gateway_answers,
    of_type,
    operations,
    statements,
)

OPEN = {("get", "/status"), ("get", "/openapi.json")}

# Every type that API Gateway knows as 4xx, but the default for what has none.
NAMED_4XX = {
    "ACCESS_DENIED",
    "BAD_REQUEST_BODY",
    "BAD_REQUEST_PARAMETERS",
    "EXPIRED_TOKEN",
    "INVALID_API_KEY",
    "INVALID_SIGNATURE",
    "MISSING_AUTHENTICATION_TOKEN",
    "QUOTA_EXCEEDED",
    "REQUEST_TOO_LARGE",
    "RESOURCE_NOT_FOUND",
    "THROTTLED",
    "UNAUTHORIZED",
    "UNSUPPORTED_MEDIA_TYPE",
    "WAF_FILTERED",
}
STATUSES = {400, 401, 403, 404, 413, 415, 429, 503}


@pytest.fixture(scope="module")
def template() -> Template:
    return expanded()


def scheme(template: Template) -> dict[str, Any]:
    """The one way to be let in."""
    (api,) = of_type(template, "AWS::ApiGateway::RestApi").values()
    ((name, found),) = api["Body"]["components"]["securitySchemes"].items()
    assert name == "JwtAuthorizer"
    assert isinstance(found, dict)
    return found


def test_every_method_asks_the_authorizer_but_the_two_that_anybody_may_call(
    template: Template,
) -> None:
    asked = {
        (method, path): operation["security"] for path, method, operation in operations(template)
    }

    open_ones = {route for route, security in asked.items() if security == [{"NONE": []}]}
    assert open_ones == OPEN
    assert all(
        security == [{"JwtAuthorizer": []}]
        for route, security in asked.items()
        if route not in OPEN
    )


def test_the_authorizer_gets_the_token_alone_and_is_asked_again_after_a_minute(
    template: Template,
) -> None:
    found = scheme(template)
    authorizer = found["x-amazon-apigateway-authorizer"]

    assert (found["in"], found["name"]) == ("header", "Authorization")
    assert authorizer["type"] == "token"
    assert authorizer["authorizerResultTtlInSeconds"] == 60
    assert '"Authorizer", "Arn"' in json.dumps(authorizer["authorizerUri"])


@pytest.mark.parametrize(
    ("header", "is_passed_on"),
    [
        ("Bearer aGVhZA.Ym9keQ.c2ln-_", True),
        ("bearer aGVhZA.Ym9keQ.c2ln", True),
        ("Bearer aGVhZA.Ym9keQ.", False),  # an algorithm of none signs nothing
        ("Bearer aGVhZA.Ym9keQ", False),
        ("Bearer ", False),
        ("Bearer", False),
        ("Basic dXNlcjpwYXNz", False),
        ("aGVhZA.Ym9keQ.c2ln", False),
        ("Bearer aGVhZA.Ym9keQ.c2ln, Bearer aGVhZA.Ym9keQ.c2ln", False),
        ("AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=c", False),
    ],
)
def test_what_has_not_the_form_of_a_token_never_reaches_the_authorizer(
    template: Template, header: str, is_passed_on: bool
) -> None:
    expression = scheme(template)["x-amazon-apigateway-authorizer"]["identityValidationExpression"]

    assert bool(re.fullmatch(expression, header)) is is_passed_on


def test_the_authorizer_may_do_nothing_but_write_its_log(template: Template) -> None:
    role = of_type(template, "AWS::IAM::Role")["AuthorizerRole"]

    assert list(statements(role)) == []
    assert {arn.rsplit("/", 1)[-1] for arn in role["ManagedPolicyArns"]} == {
        "AWSLambdaBasicExecutionRole",
        "AWSXrayWriteOnlyAccess",
        "AWSLambdaVPCAccessExecutionRole",
    }


def test_no_deployment_goes_without_an_issuer_and_an_audience(template: Template) -> None:
    asserted = [told["Assert"] for told in template["Rules"]["OneIssuer"]["Assertions"]]

    assert "RuleCondition" not in template["Rules"]["OneIssuer"]
    assert asserted == [
        {"Fn::Not": [{"Fn::Equals": [{"Ref": name}, ""]}]} for name in ("JwtIssuer", "JwtAudience")
    ]


@pytest.mark.parametrize(
    ("url", "is_taken"),
    [
        ("", True),
        ("https://issuer.example/.well-known/jwks.json", True),
        ("http://127.0.0.1:4571/jwks.json", True),
        ("http://localhost:4571/jwks.json", True),
        ("http://[::1]:4571/jwks.json", True),
        ("http://issuer.example/jwks.json", False),
        ("http://127.0.0.1.issuer.example/jwks.json", False),
        ("http://localhost.issuer.example/jwks.json", False),
        ("issuer.example", False),
    ],
)
def test_keys_come_over_tls_or_from_this_machine(
    template: Template, url: str, is_taken: bool
) -> None:
    pattern = template["Parameters"]["JwtJwksUrl"]["AllowedPattern"]

    assert bool(re.fullmatch(pattern, url)) is is_taken


def test_the_answers_of_gateway_and_firewall_have_the_shape_of_every_failure(
    template: Template,
) -> None:
    for status, body in [
        *gateway_answers(load()).values(),
        *firewall_answers(template).values(),
    ]:
        assert int(status) in STATUSES
        assert body["success"] is False
        assert set(body) == {"success", "error", "code"}
        assert body["code"].replace("_", "").isupper()
        assert body["error"].endswith(".")


def test_the_document_knows_every_code_of_gateway_and_firewall_under_its_status(
    template: Template,
) -> None:
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    told = {
        (status, code)
        for line in text.splitlines()
        if (row := re.match(r"\| ([0-9, ]+) \| (.+) \|$", line))
        for status in row[1].split(", ")
        for code in re.findall(r"`([A-Z_0-9]+)`", row[2])
    }

    for kind, (status, body) in (gateway_answers(load()) | firewall_answers(template)).items():
        assert (status, body["code"]) in told, kind


def test_what_the_gateway_has_no_name_for_is_an_unknown_path_since_all_else_is_named() -> None:
    answers = gateway_answers(load())

    assert answers.keys() >= NAMED_4XX
    for kind in ("DEFAULT_4XX", "MISSING_AUTHENTICATION_TOKEN", "RESOURCE_NOT_FOUND"):
        assert answers[kind] == answers["DEFAULT_4XX"]
        assert answers[kind][0] == "404"


def test_an_authorizer_that_fails_is_a_service_that_is_unavailable_not_a_bad_token() -> None:
    answers = gateway_answers(load())

    for kind in ("AUTHORIZER_FAILURE", "AUTHORIZER_CONFIGURATION_ERROR"):
        status, body = answers[kind]
        assert (status, body["code"]) == ("503", "UNAVAILABLE")


def test_an_answer_of_401_names_the_scheme_and_no_other_does() -> None:
    responses = load()["Resources"]["Api"]["Properties"]["GatewayResponses"]

    for kind, response in responses.items():
        headers = response.get("ResponseParameters", {}).get("Headers", {})
        wanted = {"WWW-Authenticate": "'Bearer'"} if response["StatusCode"] == "401" else {}
        assert headers == wanted, kind


def test_the_firewall_stands_before_the_stage_wherever_it_can(template: Template) -> None:
    (association,) = of_type(template, "AWS::WAFv2::WebACLAssociation").values()
    (stage,) = of_type(template, "AWS::ApiGateway::Stage")

    assert association["WebACLArn"] == {"Fn::GetAtt": ["Firewall", "Arn"]}
    assert association["ResourceArn"]["Fn::Sub"].endswith(
        f":/restapis/${{Api}}/stages/${{{stage}}}"
    )
    assert template["Resources"]["FirewallOfTheApi"]["Condition"] == "IsFull"
    assert template["Conditions"]["IsFull"] == {"Fn::Equals": [{"Ref": "Footprint"}, "full"]}
    assert template["Parameters"]["Footprint"]["Default"] == "full"


def test_the_firewall_limits_each_address_and_the_size_of_bodies_as_the_code_does(
    template: Template,
) -> None:
    rules = {
        rule["Name"]: rule["Statement"]
        for rule in of_type(template, "AWS::WAFv2::WebACL")["Firewall"]["Rules"]
    }
    size = rules["body-size"]["SizeConstraintStatement"]

    assert rules["rate-per-address"]["RateBasedStatement"]["AggregateKeyType"] == "IP"
    assert (size["ComparisonOperator"], size["Size"]) == ("GT", MAX_BODY_BYTES)
    assert size["FieldToMatch"] == {"Body": {"OversizeHandling": "MATCH"}}
    answers = firewall_answers(template)
    assert {name: (status, body["code"]) for name, (status, body) in answers.items()} == {
        "rate-per-address": ("429", "TOO_MANY_REQUESTS"),
        "body-size": ("413", "BODY_TOO_LARGE"),
    }
    assert str(MAX_BODY_BYTES) in answers["body-size"][1]["error"]


def test_the_firewall_s_common_rules_leave_the_size_of_bodies_to_its_own(
    template: Template,
) -> None:
    groups = {
        group["Name"]: group
        for rule in of_type(template, "AWS::WAFv2::WebACL")["Firewall"]["Rules"]
        if (group := rule["Statement"].get("ManagedRuleGroupStatement"))
    }

    assert set(groups) == {
        "AWSManagedRulesAmazonIpReputationList",
        "AWSManagedRulesKnownBadInputsRuleSet",
        "AWSManagedRulesCommonRuleSet",
    }
    assert groups["AWSManagedRulesCommonRuleSet"]["RuleActionOverrides"] == [
        {"Name": "SizeRestrictions_BODY", "ActionToUse": {"Count": {}}}
    ]
    assert not any(
        "RuleActionOverrides" in group
        for name, group in groups.items()
        if name != "AWSManagedRulesCommonRuleSet"
    )


def test_no_sample_of_the_firewall_holds_a_token(template: Template) -> None:
    firewall = of_type(template, "AWS::WAFv2::WebACL")["Firewall"]

    assert firewall["DataProtectionConfig"]["DataProtections"] == [
        {
            "Action": "SUBSTITUTION",
            "Field": {"FieldType": "SINGLE_HEADER", "FieldKeys": ["authorization"]},
        }
    ]
