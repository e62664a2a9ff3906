"""What must hold in the expanded template, whatever else is changed in it."""

import json
import re
from pathlib import PurePosixPath
from typing import Any

import pytest
from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from aws_lambda_powertools.event_handler.api_gateway import Route

from local.environment import ROOT
from local.template import Template, load
from tests.handlers.gateway import Function
from tests.unit.template_shapes import expanded, of_type, operations, reserved

ROUTES = {
    ("post", "/signals"): "SignalIntake",
    ("get", "/signals/{id}"): "StatsApi",
    ("get", "/positions"): "StatsApi",
    ("get", "/venue-markets"): "StatsApi",
    ("get", "/venue-routing/config"): "StatsApi",
    ("post", "/venue-routing/config"): "ConfigApi",
    ("delete", "/venue-routing/config"): "ConfigApi",
    ("get", "/venue-routing/stats"): "StatsApi",
    ("get", "/venue-routing/history"): "StatsApi",
    ("post", "/venue-routing/preview"): "StatsApi",
    ("get", "/agents"): "StatsApi",
    ("post", "/agents"): "ConfigApi",
    ("get", "/agents/{id}"): "StatsApi",
    ("patch", "/agents/{id}"): "ConfigApi",
    ("get", "/agents/{id}/deployments"): "StatsApi",
    ("post", "/agents/{id}/deployments"): "ConfigApi",
    ("get", "/deployments/{id}"): "StatsApi",
    ("patch", "/deployments/{id}"): "ConfigApi",
    ("get", "/controls"): "StatsApi",
    ("put", "/controls"): "ConfigApi",
    ("get", "/status"): "StatsApi",
    ("get", "/status/details"): "StatsApi",
    ("get", "/openapi.json"): "StatsApi",
}


@pytest.fixture(scope="module")
def template() -> Template:
    return expanded()


def test_a_fifo_message_comes_alone_and_fails_alone(template: Template) -> None:
    sources = of_type(template, "AWS::Lambda::EventSourceMapping")

    assert {source["EventSourceArn"]["Fn::GetAtt"][0] for source in sources.values()} == {
        "SignalQueue",
        "OrderQueue",
    }
    for source in sources.values():
        assert source["BatchSize"] == 1
        assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_a_message_stays_hidden_for_three_times_as_long_as_its_function_may_run(
    template: Template,
) -> None:
    queues = of_type(template, "AWS::SQS::Queue")
    functions = of_type(template, "AWS::Lambda::Function")

    for source in of_type(template, "AWS::Lambda::EventSourceMapping").values():
        queue = queues[source["EventSourceArn"]["Fn::GetAtt"][0]]
        function = functions[source["FunctionName"]["Ref"]]
        assert queue["VisibilityTimeout"] >= 3 * function["Timeout"]


def test_each_queue_has_its_own_concurrency_and_the_function_has_room_for_all(
    template: Template,
) -> None:
    wanted = [
        source["ScalingConfig"]["MaximumConcurrency"]
        for source in of_type(template, "AWS::Lambda::EventSourceMapping").values()
    ]
    worker = of_type(template, "AWS::Lambda::Function")["RouteExecute"]

    assert min(wanted) >= 2
    assert reserved(worker) >= sum(wanted)


def test_what_is_reserved_is_what_the_parameter_and_the_document_say(template: Template) -> None:
    total = sum(map(reserved, of_type(template, "AWS::Lambda::Function").values()))
    told = template["Parameters"]["ReserveConcurrency"]["Description"]
    document = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")

    for text in (told, document):
        assert f" {total} " in text
        assert f" {total + 100} " in text


def test_every_queue_is_fifo_and_redriven_except_the_last(template: Template) -> None:
    queues = of_type(template, "AWS::SQS::Queue")
    dead_letters = queues.pop("DeadLetterQueue")

    assert dead_letters["FifoQueue"] is True
    for queue in queues.values():
        assert queue["FifoQueue"] is True
        assert queue["DeduplicationScope"] == "messageGroup"
        assert queue["FifoThroughputLimit"] == "perMessageGroupId"
        assert queue["RedrivePolicy"] == {
            "deadLetterTargetArn": {"Fn::GetAtt": ["DeadLetterQueue", "Arn"]},
            "maxReceiveCount": 30,
        }


def test_dead_letters_outlive_the_queues_they_come_from(template: Template) -> None:
    queues = of_type(template, "AWS::SQS::Queue")
    kept = queues.pop("DeadLetterQueue")["MessageRetentionPeriod"]

    assert all(queue["MessageRetentionPeriod"] < kept for queue in queues.values())


def test_every_route_is_known_and_goes_to_the_function_that_the_contract_names(
    template: Template,
) -> None:
    found = {
        (method, path): next(
            name
            for name in of_type(template, "AWS::Lambda::Function")
            if f"${{{name}Aliaslive}}" in json.dumps(operation)
        )
        for path, method, operation in operations(template)
    }

    assert found == ROUTES


def test_every_route_of_the_template_is_one_that_its_function_answers_and_no_other() -> None:
    resources = load()["Resources"].values()
    routed = {
        (folder(resource), event["Properties"]["Method"], event["Properties"]["Path"])
        for resource in resources
        for event in resource["Properties"].get("Events", {}).values()
        if event["Type"] == "Api"
    }
    answered = {
        (function, route.method, re.sub("<[a-z_]+>", "{id}", route.path))
        for function in sorted({function for function, _, _ in routed})
        for route in registered(Function(function).module.api)
    }

    assert routed == answered


def folder(resource: dict[str, Any]) -> str:
    return PurePosixPath(resource["Properties"]["CodeUri"]).name


def registered(api: APIGatewayRestResolver) -> list[Route]:
    return [*api._static_routes, *api._dynamic_routes]


def test_there_is_one_rest_api_with_one_stage_named_api(template: Template) -> None:
    (stage,) = of_type(template, "AWS::ApiGateway::Stage").values()

    assert stage["StageName"] == "api"
    assert not [
        resource
        for resource in template["Resources"].values()
        if resource["Type"].startswith("AWS::ApiGatewayV2")
    ]


def test_every_function_runs_on_the_layer_with_a_log_that_ends(template: Template) -> None:
    groups = of_type(template, "AWS::Logs::LogGroup")

    for name, function in of_type(template, "AWS::Lambda::Function").items():
        assert function["Runtime"] == "python3.13"
        assert function["Architectures"] == ["arm64"]
        assert len(function["Layers"]) == 1
        assert "RetentionInDays" in groups[function["LoggingConfig"]["LogGroup"]["Ref"]], name


def test_every_alarm_tells_the_topic(template: Template) -> None:
    for name, alarm in of_type(template, "AWS::CloudWatch::Alarm").items():
        assert alarm["AlarmActions"] == [{"Ref": "AlarmTopic"}], name


def test_every_function_has_an_alarm_on_throttling_and_on_failing(template: Template) -> None:
    alarms = of_type(template, "AWS::CloudWatch::Alarm").values()
    functions = set(of_type(template, "AWS::Lambda::Function"))
    watched = {
        metric: {
            dimension["Value"]["Ref"]
            for alarm in alarms
            if (alarm["Namespace"], alarm["MetricName"]) == ("AWS/Lambda", metric)
            for dimension in alarm["Dimensions"]
        }
        for metric in ("Throttles", "Errors")
    }

    assert watched["Throttles"] == functions
    assert watched["Errors"] == functions - {"Authorizer"}, "it refuses a token by raising"


def test_a_failing_authorizer_shows_in_the_alarm_on_the_api_s_own_failures(
    template: Template,
) -> None:
    (stage,) = of_type(template, "AWS::ApiGateway::Stage").values()
    (api,) = of_type(template, "AWS::ApiGateway::RestApi").values()
    alarm = of_type(template, "AWS::CloudWatch::Alarm")["ApiFailuresAlarm"]

    assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/ApiGateway", "5XXError")
    assert {each["Name"]: each["Value"] for each in alarm["Dimensions"]} == {
        "ApiName": api["Name"],
        "Stage": stage["StageName"],
    }


def test_a_schedule_gives_up_before_its_next_turn(template: Template) -> None:
    for schedule in of_type(template, "AWS::Scheduler::Schedule").values():
        retry = schedule["Target"]["RetryPolicy"]
        assert retry["MaximumRetryAttempts"] <= 1
        assert retry["MaximumEventAgeInSeconds"] <= 120


def test_live_trading_is_asked_for_by_name_and_needs_a_ceiling(template: Template) -> None:
    mode = template["Parameters"]["ExecutionMode"]
    rule = template["Rules"]["LiveHasACeiling"]

    assert (mode["Default"], mode["AllowedValues"]) == ("paper", ["paper", "live"])
    assert rule["RuleCondition"] == {"Fn::Equals": [{"Ref": "ExecutionMode"}, "live"]}
    (assertion,) = rule["Assertions"]
    assert assertion["Assert"] == {
        "Fn::Not": [{"Fn::Equals": [{"Ref": "MaxOrderNotionalUsd"}, ""]}]
    }


def test_every_name_carries_the_stack_s_so_that_two_fit_into_one_account(
    template: Template,
) -> None:
    named = ("FunctionName", "QueueName", "TopicName", "LogGroupName", "LayerName", "Name")

    for resource in template["Resources"].values():
        for key in named:
            if key in resource.get("Properties", {}) and resource["Type"] != "AWS::Lambda::Alias":
                name = json.dumps(resource["Properties"][key])
                derived = any(each in name for each in ("AWS::StackName", '"Ref"', '"Fn::GetAtt"'))
                assert derived, f"{resource['Type']} {name}"


def test_a_guided_deployment_can_leave_every_optional_parameter_empty(template: Template) -> None:
    """`sam deploy --guided` asks for ever where the answer is hidden and none is given."""
    hidden = [name for name, told in template["Parameters"].items() if told.get("NoEcho")]

    assert hidden == []


def test_every_make_target_that_a_document_names_exists() -> None:
    known = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
    told = {
        target
        for path in documents
        for target in re.findall(r"(?:`|^|= )make ([a-z0-9-]+)", path.read_text(), re.MULTILINE)
    }

    assert {"run", "test", "deploy"} <= told <= known


def test_every_aws_service_that_the_code_calls_is_left_in_the_layer() -> None:
    makefile = (ROOT / "layers" / "core" / "Makefile").read_text()
    kept = re.search(r"^SERVICES := (.*)$", makefile, re.MULTILINE)
    code = [path for folder in ("layers", "functions") for path in (ROOT / folder).rglob("*.py")]
    called = {
        service
        for path in code
        for service in re.findall(
            r"""\b(?:client|resource)\(\s*"([a-z0-9-]+)\"""", path.read_text()
        )
    }

    assert kept is not None
    assert "sqs" in called
    assert called <= set(kept[1].split())
