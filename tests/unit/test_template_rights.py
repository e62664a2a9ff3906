"""What each function may do and what it is told, in the expanded template."""

import json

import pytest

from agent_where.environment import Settings
from agent_where.errors import BadSetting
from agent_where.settings import (
    ApiSettings,
    AuthorizerSettings,
    DoctorSettings,
    MarketSyncSettings,
    OperateSettings,
    ReconcileSettings,
    RouteExecuteSettings,
    SetupSettings,
    SignalIntakeSettings,
    StatsApiSettings,
)
from local.template import Template, nested
from tests.unit.template_shapes import expanded, listed, of_type, statements, variables

SETTINGS: dict[str, type[Settings]] = {
    "Authorizer": AuthorizerSettings,
    "SignalIntake": SignalIntakeSettings,
    "RouteExecute": RouteExecuteSettings,
    "MarketSync": MarketSyncSettings,
    "Reconcile": ReconcileSettings,
    "ConfigApi": ApiSettings,
    "StatsApi": StatsApiSettings,
    "Setup": SetupSettings,
    "Doctor": DoctorSettings,
    "Operate": OperateSettings,
}

# Powertools reads these by itself.
POWERTOOLS = {
    "POWERTOOLS_SERVICE_NAME",
    "POWERTOOLS_METRICS_NAMESPACE",
    "POWERTOOLS_LOG_LEVEL",
    "POWERTOOLS_TRACE_DISABLED",
}

# A managed policy of AWS's own is wide; each that may be attached has its reason.
MANAGED_POLICIES = {
    "AWSLambdaBasicExecutionRole": "writes the function's log",
    "AWSXrayWriteOnlyAccess": "traces have no resource that could be named",
    "AWSLambdaVPCAccessExecutionRole": "network interfaces have no name before they exist",
    "AmazonRDSEnhancedMonitoringRole": "writes the database's own figures of its machine",
    "AWSCodeDeployRoleForLambda": "SAM's, for the canaries: moves aliases, reads alarms",
    "AmazonAPIGatewayPushToCloudWatchLogs": "the region's one role for the logs of API Gateway",
}

QUEUE_RIGHTS = {
    "SignalIntake": {("sqs:SendMessage", "SignalQueue")},
    "RouteExecute": {
        ("sqs:ReceiveMessage", "SignalQueue"),
        ("sqs:DeleteMessage", "SignalQueue"),
        ("sqs:ChangeMessageVisibility", "SignalQueue"),
        ("sqs:GetQueueAttributes", "SignalQueue"),
        ("sqs:ReceiveMessage", "OrderQueue"),
        ("sqs:DeleteMessage", "OrderQueue"),
        ("sqs:ChangeMessageVisibility", "OrderQueue"),
        ("sqs:GetQueueAttributes", "OrderQueue"),
        ("sqs:SendMessage", "OrderQueue"),
        ("sqs:SendMessage", "DeadLetterQueue"),
    },
    "MarketSync": {("sqs:SendMessage", "OrderQueue")},
    "Reconcile": {
        ("sqs:SendMessage", "SignalQueue"),
        ("sqs:SendMessage", "OrderQueue"),
        ("sqs:GetQueueAttributes", "SignalQueue"),
        ("sqs:GetQueueAttributes", "OrderQueue"),
        ("sqs:GetQueueAttributes", "DeadLetterQueue"),
    },
    "Setup": {
        ("sqs:GetQueueAttributes", "SignalQueue"),
        ("sqs:GetQueueAttributes", "OrderQueue"),
        ("sqs:GetQueueAttributes", "DeadLetterQueue"),
    },
    "Doctor": {
        ("sqs:GetQueueAttributes", "SignalQueue"),
        ("sqs:GetQueueAttributes", "OrderQueue"),
        ("sqs:GetQueueAttributes", "DeadLetterQueue"),
    },
    "Operate": {
        ("sqs:ReceiveMessage", "DeadLetterQueue"),
        ("sqs:DeleteMessage", "DeadLetterQueue"),
        ("sqs:ChangeMessageVisibility", "DeadLetterQueue"),
        ("sqs:GetQueueAttributes", "DeadLetterQueue"),
        ("sqs:SendMessage", "SignalQueue"),
        ("sqs:SendMessage", "OrderQueue"),
        ("sqs:SendMessage", "DeadLetterQueue"),
    },
    "ConfigApi": set(),
    "StatsApi": set(),
    "Authorizer": set(),
}

QUEUE_URLS = {
    "SignalQueue": "SIGNAL_QUEUE_URL",
    "OrderQueue": "ORDER_QUEUE_URL",
    "DeadLetterQueue": "DEAD_LETTER_QUEUE_URL",
}


@pytest.fixture(scope="module")
def template() -> Template:
    return expanded()


def test_no_statement_allows_every_action_or_every_resource(template: Template) -> None:
    owners = of_type(template, "AWS::IAM::Role") | of_type(template, "AWS::IAM::ManagedPolicy")

    for owner in owners.values():
        for statement in statements(owner):
            if statement["Effect"] == "Allow":
                assert not [act for act in listed(statement["Action"]) if "*" in act]
                if listed(statement["Action"]) != ["kms:CreateKey"]:  # it knows no resource
                    assert "*" not in listed(statement["Resource"])


KEY_RIGHTS = {"kms:CreateKey", "kms:TagResource", "kms:GetPublicKey", "kms:Sign"}


def test_keys_are_used_by_their_tags_alone_and_only_where_trading_is_live(
    template: Template,
) -> None:
    owners = {
        name: resource
        for name, resource in template["Resources"].items()
        if resource["Type"] in ("AWS::IAM::Role", "AWS::IAM::ManagedPolicy")
        and any(f'"{action}"' in json.dumps(resource) for action in KEY_RIGHTS)
    }

    assert owners.keys() == {"KeyMakingPolicy", "SigningPolicy"}
    for owner in owners.values():
        assert owner["Condition"] == "IsLive"
        for statement in statements(owner["Properties"]):
            assert set(listed(statement["Action"])) <= KEY_RIGHTS
            told = statement["Condition"]["StringEquals"]
            assert any(key.endswith("agent-where:use") for key in told)


def test_only_the_worker_and_reconcile_may_sign(template: Template) -> None:
    roles = of_type(template, "AWS::IAM::Role")
    signing = {"Fn::If": ["IsLive", {"Ref": "SigningPolicy"}, {"Ref": "AWS::NoValue"}]}

    may = {name for name, role in roles.items() if signing in role.get("ManagedPolicyArns", [])}

    assert may == {"RouteExecuteRole", "ReconcileRole"}


def test_the_doctor_logs_in_as_the_reader_and_nobody_else_does(template: Template) -> None:
    roles = of_type(template, "AWS::IAM::Role")
    policies = ("DatabasePolicy", "ReaderPolicy")
    attached = {
        name: {policy for policy in policies if f'"{policy}"' in json.dumps(role)}
        for name, role in roles.items()
    }
    doctor = of_type(template, "AWS::Lambda::Function")["Doctor"]

    assert {name for name, of in attached.items() if "ReaderPolicy" in of} == {"DoctorRole"}
    assert attached["DoctorRole"] == {"ReaderPolicy"}
    assert "DbReaderUser" in json.dumps(doctor["Environment"]["Variables"]["DB_USER"])


def test_every_managed_policy_of_aws_has_a_stated_reason(template: Template) -> None:
    attached = {
        told.rsplit("/", 1)[-1]
        for each in (template, *nested().values())
        for role in of_type(each, "AWS::IAM::Role").values()
        for arn in role.get("ManagedPolicyArns", [])
        if isinstance(told := arn.get("Fn::Sub") if isinstance(arn, dict) else arn, str)
    }

    assert attached == set(MANAGED_POLICIES)


def test_each_function_may_do_with_queues_what_it_needs_and_nothing_else(
    template: Template,
) -> None:
    roles = of_type(template, "AWS::IAM::Role")

    found = {
        function: {
            (action, resource["Fn::GetAtt"][0])
            for statement in statements(roles[f"{function}Role"])
            for action in listed(statement["Action"])
            for resource in listed(statement["Resource"])
            if action.startswith("sqs:")
        }
        for function in of_type(template, "AWS::Lambda::Function")
    }

    assert found == QUEUE_RIGHTS


def test_only_setup_may_read_the_administrator_s_secret(template: Template) -> None:
    readers = {
        name
        for name, role in of_type(template, "AWS::IAM::Role").items()
        if "DbAdminSecretArn" in json.dumps(role)
    }

    assert readers == {"SetupRole"}


def test_every_function_is_given_only_settings_that_it_reads(template: Template) -> None:
    for name, given in variables(template).items():
        read = {field.upper() for field in SETTINGS[name].model_fields}
        assert given <= read | POWERTOOLS, name


def test_a_setting_given_to_one_function_is_given_to_all_that_read_it(template: Template) -> None:
    somewhere = set().union(*variables(template).values())

    for name, given in variables(template).items():
        read = {field.upper() for field in SETTINGS[name].model_fields}
        assert read & somewhere <= given, name


def test_a_queue_s_url_goes_to_those_who_may_use_the_queue(template: Template) -> None:
    for name, given in variables(template).items():
        allowed = {QUEUE_URLS[queue] for _, queue in QUEUE_RIGHTS[name]}
        known = {field.upper() for field in SETTINGS[name].model_fields}
        assert given & set(QUEUE_URLS.values()) == allowed, name
        assert known & set(QUEUE_URLS.values()) == allowed, name


def test_a_parameter_s_default_is_the_code_s_own(template: Template) -> None:
    for settings in SETTINGS.values():
        for field, known in settings.model_fields.items():
            parameter = template["Parameters"].get(field.title().replace("_", ""), {})
            if parameter.get("Type") == "Number":
                assert parameter["Default"] == known.default, field


def test_the_template_takes_a_number_up_to_where_the_code_does(template: Template) -> None:
    """What it took and the code refused would fail at the first request after the deployment."""
    for settings in SETTINGS.values():
        for field in settings.model_fields:
            parameter = template["Parameters"].get(field.title().replace("_", ""), {})
            for bound, beyond in (("MinValue", -1), ("MaxValue", 1)):
                if bound in parameter:
                    assert accepts(settings, field, parameter[bound]), f"{field} {bound}"
                    assert not accepts(settings, field, parameter[bound] + beyond), field


def accepts(settings: type[Settings], field: str, value: int) -> bool:
    told = {"DATABASE_URL": "postgresql://u@127.0.0.1/n", field.upper(): str(value)}
    try:
        settings.from_environment(told)
    except BadSetting:
        return False
    return True
