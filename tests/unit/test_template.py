"""What must hold in the expanded template, whatever else is changed in it."""

import json
import re

import pytest

from local.environment import ROOT
from local.template import Template, load
from tests.unit.template_shapes import expanded, of_type, operations

ROUTES = {
    ("post", "/signals"): "SignalIntake",
    ("get", "/signals/{id}"): "StatsApi",
    ("get", "/positions"): "StatsApi",
    ("get", "/venue-markets"): "StatsApi",
    ("get", "/venue-routing/config"): "StatsApi",
    ("post", "/venue-routing/config"): "ConfigApi",
    ("delete", "/venue-routing/config"): "ConfigApi",
    ("get", "/venue-routing/stats"): "StatsApi",
    ("get", "/agents"): "StatsApi",
    ("post", "/agents"): "ConfigApi",
    ("get", "/agents/{id}"): "StatsApi",
    ("patch", "/agents/{id}"): "ConfigApi",
    ("get", "/agents/{id}/deployments"): "StatsApi",
    ("post", "/agents/{id}/deployments"): "ConfigApi",
    ("get", "/deployments/{id}"): "StatsApi",
    ("patch", "/deployments/{id}"): "ConfigApi",
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
    assert worker["ReservedConcurrentExecutions"] >= sum(wanted)


def test_all_functions_together_leave_most_of_a_small_database_s_connections(
    template: Template,
) -> None:
    functions = of_type(template, "AWS::Lambda::Function").values()

    assert sum(function["ReservedConcurrentExecutions"] for function in functions) <= 112 * 6 // 10


def test_every_queue_is_fifo_encrypted_and_redriven_except_the_last(template: Template) -> None:
    queues = of_type(template, "AWS::SQS::Queue")
    dead_letters = queues.pop("DeadLetterQueue")

    assert dead_letters["FifoQueue"] is dead_letters["SqsManagedSseEnabled"] is True
    for queue in queues.values():
        assert queue["FifoQueue"] is queue["SqsManagedSseEnabled"] is True
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
            if f"${{{name}.Arn}}" in json.dumps(operation)
        )
        for path, method, operation in operations(template)
    }

    assert found == ROUTES


def test_no_route_is_open(template: Template) -> None:
    for path, method, operation in operations(template):
        assert operation["security"] == [{"AWS_IAM": []}], f"{method} {path}"


def test_there_is_one_rest_api_with_one_stage_named_api(template: Template) -> None:
    (stage,) = of_type(template, "AWS::ApiGateway::Stage").values()

    assert stage["StageName"] == "api"
    assert not [
        resource
        for resource in template["Resources"].values()
        if resource["Type"].startswith("AWS::ApiGatewayV2")
    ]


def test_the_gateway_s_own_answers_have_the_shape_of_every_failure() -> None:
    responses = load()["Resources"]["Api"]["Properties"]["GatewayResponses"]

    for response in responses.values():
        text = response["ResponseTemplates"]["application/json"]
        body = json.loads(text.replace("$context.error.messageString", '"a sentence"'))
        assert body["success"] is False
        assert set(body) == {"success", "error", "code"}
        assert body["code"].replace("_", "").isupper()


def test_every_function_runs_on_the_layer_with_a_log_that_ends(template: Template) -> None:
    groups = of_type(template, "AWS::Logs::LogGroup")

    for name, function in of_type(template, "AWS::Lambda::Function").items():
        assert function["Runtime"] == "python3.13"
        assert function["Architectures"] == ["arm64"]
        assert len(function["Layers"]) == 1
        assert "RetentionInDays" in groups[function["LoggingConfig"]["LogGroup"]["Ref"]], name


def test_a_schedule_gives_up_before_its_next_turn(template: Template) -> None:
    for schedule in of_type(template, "AWS::Scheduler::Schedule").values():
        retry = schedule["Target"]["RetryPolicy"]
        assert retry["MaximumRetryAttempts"] <= 1
        assert retry["MaximumEventAgeInSeconds"] <= 120


def test_live_trading_cannot_be_switched_on_by_a_parameter(template: Template) -> None:
    assert template["Parameters"]["ExecutionMode"]["AllowedValues"] == ["paper"]


def test_every_name_carries_the_stack_s_so_that_two_fit_into_one_account(
    template: Template,
) -> None:
    named = ("FunctionName", "QueueName", "TopicName", "LogGroupName", "LayerName", "Name")

    for resource in template["Resources"].values():
        for key in named:
            if key in resource.get("Properties", {}) and resource["Type"] != "AWS::Lambda::Alias":
                name = json.dumps(resource["Properties"][key])
                derived = "AWS::StackName" in name or '"Ref"' in name
                assert derived, f"{resource['Type']} {name}"


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
