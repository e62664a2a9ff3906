"""Rules that a careful operator would ask for, over all templates expanded with Footprint=full."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from agent_where.rights import INTAKE, READER
from agent_where.settings import SetupSettings, StatsApiSettings
from local.environment import ROOT
from local.template import Template, load, nested
from tests.unit.template_shapes import (
    expanded,
    listed,
    of_type,
    reserved,
    statements,
    variables,
)

DATA_KEY = {"Fn::If": ["IsFull", {"Ref": "DataKey"}, {"Ref": "AWS::NoValue"}]}
DATA_KEY_ARN = {"Fn::If": ["IsFull", {"Fn::GetAtt": ["DataKey", "Arn"]}, {"Ref": "AWS::NoValue"}]}

# Nobody's resource could be named in these, and each is bound by its conditions.
WILDCARDS = {
    "KeyMakingPolicy kms:CreateKey": "a key has no name before it exists; bound by its tags",
}
API_FUNCTIONS = ("SignalIntake", "ConfigApi", "StatsApi")
SETS_UP_ITSELF = {"Setup"}
MEMORY_OF_CLASSES = {"db.t4g.micro": 1 << 30}  # bytes
BYTES_A_CONNECTION = 9_531_392  # RDS: max_connections = DBInstanceClassMemory / 9531392


@pytest.fixture(scope="module")
def template() -> Template:
    return expanded()


def every_template() -> dict[str, Template]:
    return {"template.yaml": expanded(), **nested()}


def resources(kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Of one type, in all templates."""
    for template in every_template().values():
        yield from of_type(template, kind).items()


def test_every_allowed_action_and_resource_is_named_or_has_a_reason() -> None:
    for template in every_template().values():
        owners = of_type(template, "AWS::IAM::Role") | of_type(template, "AWS::IAM::ManagedPolicy")
        for name, owner in owners.items():
            for statement in statements(owner):
                if statement["Effect"] != "Allow":
                    continue
                for action in listed(statement["Action"]):
                    assert "*" not in action, name
                    if "*" in listed(statement["Resource"]):
                        assert f"{name} {action}" in WILDCARDS
                        assert statement["Condition"], name


def test_every_key_is_used_by_its_account_and_by_services_for_this_account_alone() -> None:
    for name, key in resources("AWS::KMS::Key"):
        assert key["EnableKeyRotation"] is True, name
        account, *services = key["KeyPolicy"]["Statement"]
        assert account["Principal"]["AWS"]["Fn::Sub"].endswith(":root")
        for statement in services:
            assert statement["Principal"].keys() == {"Service"}
            assert "AWS::AccountId" in json.dumps(statement["Condition"])


def test_queues_logs_and_alarms_are_encrypted_with_the_stack_s_own_key(
    template: Template,
) -> None:
    for name, queue in of_type(template, "AWS::SQS::Queue").items():
        assert queue["KmsMasterKeyId"] == DATA_KEY, name
    for name, group in of_type(template, "AWS::Logs::LogGroup").items():
        assert group["KmsKeyId"] == DATA_KEY_ARN, name
    for name, topic in of_type(template, "AWS::SNS::Topic").items():
        assert topic["KmsMasterKeyId"] == DATA_KEY, name
    for inner in nested().values():
        for name, group in of_type(inner, "AWS::Logs::LogGroup").items():
            assert group["KmsKeyId"] == {"Ref": "LogKeyArn"}, name


def test_the_database_is_encrypted_backed_up_guarded_and_over_tls_alone() -> None:
    template = nested()["database.yaml"]
    database = of_type(template, "AWS::RDS::DBInstance")["Instance"]
    settings = of_type(template, "AWS::RDS::DBParameterGroup")["Settings"]

    assert (database["Engine"], database["EngineVersion"]) == ("postgres", "18")
    assert settings["Family"] == "postgres18"
    assert settings["Parameters"]["rds.force_ssl"] == "1"
    for wanted in (
        "StorageEncrypted",
        "EnableIAMDatabaseAuthentication",
        "ManageMasterUserPassword",
        "EnablePerformanceInsights",
        "CopyTagsToSnapshot",
    ):
        assert database[wanted] is True, wanted
    assert database["PubliclyAccessible"] is False
    for of_key in ("KmsKeyId", "PerformanceInsightsKMSKeyId"):
        assert database[of_key] == {"Fn::GetAtt": ["Key", "Arn"]}
    assert database["MasterUserSecret"]["KmsKeyId"] == {"Fn::GetAtt": ["Key", "Arn"]}
    assert template["Parameters"]["DeletionProtection"]["Default"] == "true"
    assert template["Parameters"]["BackupDays"]["Default"] >= 7
    resource = template["Resources"]["Instance"]
    assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Snapshot",) * 2


def test_nobody_is_let_in_by_address_but_by_the_group_of_the_functions() -> None:
    for name, group in resources("AWS::EC2::SecurityGroup"):
        for rule in group.get("SecurityGroupIngress", []):
            assert "SourceSecurityGroupId" in rule, name
            assert "CidrIp" not in rule, name
            assert rule["FromPort"] == rule["ToPort"], name
        assert group["SecurityGroupEgress"], f"{name}: without rules everything may go out"


def test_functions_may_call_https_and_the_database_and_nothing_else() -> None:
    group = of_type(nested()["network.yaml"], "AWS::EC2::SecurityGroup")["FunctionsGroup"]

    assert "SecurityGroupIngress" not in group
    assert {rule["ToPort"] for rule in group["SecurityGroupEgress"]} == {443, 5432}


def test_only_subnets_of_the_gateways_know_the_way_to_the_internet() -> None:
    network = nested()["network.yaml"]["Resources"]
    direct = [
        resource["Properties"]["RouteTableId"]["Ref"]
        for resource in network.values()
        if resource["Type"] == "AWS::EC2::Route" and "GatewayId" in resource["Properties"]
    ]

    assert direct == ["PublicRoutes"]
    for subnet in of_type(nested()["network.yaml"], "AWS::EC2::Subnet").values():
        assert subnet["MapPublicIpOnLaunch"] is False


def test_setup_runs_before_every_function_that_needs_the_database(template: Template) -> None:
    with_database = {name for name, given in variables(template).items() if "DB_HOST" in given}

    assert with_database >= {"StatsApi", "RouteExecute", "Reconcile"}
    for name in with_database - SETS_UP_ITSELF:
        assert "SetupRun" in listed(template["Resources"][name]["DependsOn"]), name


def test_setup_runs_again_when_its_code_the_layer_or_the_database_is_another(
    template: Template,
) -> None:
    properties = of_type(template, "Custom::Setup")["SetupRun"]
    version = template["Resources"][properties["Code"]["Ref"]]
    layer = template["Resources"][properties["Layer"]["Ref"]]

    assert version["Type"] == "AWS::Lambda::Version"
    assert layer["Type"] == "AWS::Lambda::LayerVersion"
    assert {"Network", "Database", "Role"} <= properties.keys()


def test_setup_runs_again_when_anything_that_it_is_told_of_the_database_is_another(
    template: Template,
) -> None:
    def told(value: Any) -> set[str]:
        """The parameters, and what other stacks tell, in a value."""
        if isinstance(value, list):
            return set().union(*map(told, value))
        if not isinstance(value, dict):
            return set()
        found = {value["Ref"]} if value.keys() == {"Ref"} else set()
        return found.union(*map(told, value.values())) - {"AWS::NoValue"}

    setup = of_type(template, "AWS::Lambda::Function")["Setup"]["Environment"]["Variables"]
    database = {name: value for name, value in setup.items() if name.startswith("DB_")}

    assert told([*database.values()]) <= told(of_type(template, "Custom::Setup")["SetupRun"])


def test_a_deployment_waits_for_setup_longer_than_setup_may_run(template: Template) -> None:
    waits = of_type(template, "Custom::Setup")["SetupRun"]["ServiceTimeout"]

    assert waits > of_type(template, "AWS::Lambda::Function")["Setup"]["Timeout"]


def test_all_functions_at_once_use_at_most_sixty_percent_of_a_new_database_s_connections(
    template: Template,
) -> None:
    functions = of_type(template, "AWS::Lambda::Function")
    connected = [name for name, given in variables(template).items() if "DB_HOST" in given]
    memory = MEMORY_OF_CLASSES[template["Parameters"]["DatabaseInstanceClass"]["Default"]]

    most = sum(reserved(functions[name]) for name in connected)

    assert most <= memory // BYTES_A_CONNECTION * 6 // 10
    asked = nested()["database.yaml"]["Parameters"]["InstanceClass"]
    assert asked["Default"] in MEMORY_OF_CLASSES
    assert f" {most} at most" in asked["Description"]
    assert f'"value": {most}}}' in json.dumps(nested()["dashboard.yaml"]).replace("\\", "")


def test_only_the_api_s_functions_are_put_in_place_by_canary_and_taken_back_by_alarms(
    template: Template,
) -> None:
    groups = of_type(template, "AWS::CodeDeploy::DeploymentGroup")

    assert set(groups) == {f"{name}DeploymentGroup" for name in API_FUNCTIONS}
    for name in API_FUNCTIONS:
        group = groups[f"{name}DeploymentGroup"]
        assert "Canary10Percent5Minutes" in json.dumps(group["DeploymentConfigName"])
        watched = {each["Name"]["Ref"] for each in group["AlarmConfiguration"]["Alarms"]}
        assert watched == {f"{name}ErrorsAlarm", "ApiFailuresAlarm"}
        assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"]


def test_the_api_calls_the_alias_that_a_canary_moves(template: Template) -> None:
    (api,) = of_type(template, "AWS::ApiGateway::RestApi").values()
    called = set(re.findall(r"functions/\$\{(\w+)\}/invocations", json.dumps(api["Body"])))

    assert called - {"__FunctionArn__"} == {f"{name}Aliaslive" for name in API_FUNCTIONS}


def test_no_alarm_that_a_canary_watches_hangs_on_what_the_canary_moves(
    template: Template,
) -> None:
    for name in (*(f"{each}ErrorsAlarm" for each in API_FUNCTIONS), "ApiFailuresAlarm"):
        told = json.dumps(of_type(template, "AWS::CloudWatch::Alarm")[name])
        assert "Stage" not in re.findall(r'"Ref": "(\w+)"', told), name
        assert "Alias" not in told, name


def test_the_database_outlives_a_deployment_that_uses_another_one(template: Template) -> None:
    """In the middle of a recovery its groups are those of the instance that takes its place."""
    stack = template["Resources"]["DatabaseStack"]

    assert stack["DeletionPolicy"] == "RetainExceptOnCreate"
    assert stack["UpdateReplacePolicy"] == "Retain"


def test_no_function_takes_snapshots_of_itself(template: Template) -> None:
    """Decided in docs/deploy.md: a restored process would log in anew just as a cold one does."""
    for function in of_type(template, "AWS::Lambda::Function").values():
        assert "SnapStart" not in function


def test_the_access_log_knows_who_asked_for_what_and_no_header(template: Template) -> None:
    (stage,) = of_type(template, "AWS::ApiGateway::Stage").values()
    condition, setting, _ = stage["AccessLogSetting"]["Fn::If"]
    told = json.loads(setting["Format"])

    assert condition == "IsFull"
    assert told["caller"] == "$context.authorizer.principalId"
    assert not [value for value in told.values() if "header" in value or "request.body" in value]
    assert "$context.authorizer.claims" not in setting["Format"]
    assert "$context.path" not in told.values(), "a path may hold what is nobody's business"


def test_the_authorizer_runs_outside_of_the_network(template: Template) -> None:
    functions = of_type(template, "AWS::Lambda::Function")

    assert functions.pop("Authorizer")["VpcConfig"] == {"Ref": "AWS::NoValue"}
    for name, function in functions.items():
        assert function["VpcConfig"]["Fn::If"][0] == "MakesVpc", name


def test_no_function_that_only_reads_knows_a_queue_or_a_key(template: Template) -> None:
    role = json.dumps(of_type(template, "AWS::IAM::Role")["StatsApiRole"])

    for word in ("sqs:", "kms:", "QueueKeyPolicy", "SigningPolicy", "KeyMakingPolicy"):
        assert word not in role
    assert not [name for name in StatsApiSettings.model_fields if "queue" in name]


def sections(document: str) -> set[str]:
    """The anchors of a document's headings."""
    text = (ROOT / "docs" / document).read_text(encoding="utf-8")
    return {
        re.sub(r"[^a-z0-9-]", "", title.lower().replace(" ", "-"))
        for title in re.findall(r"^## (.+)$", text, re.MULTILINE)
    }


def test_every_alarm_leads_to_a_section_that_says_what_to_do(template: Template) -> None:
    for name, alarm in of_type(template, "AWS::CloudWatch::Alarm").items():
        found = re.search(
            r"docs/((?:runbook|alarms)\.md)#([a-z0-9-]+)\.$", alarm["AlarmDescription"]
        )
        assert found, f"{name}: its description ends with a section of docs/runbook.md"
        assert found[2] in sections(found[1]), name


def test_every_parameter_is_used_and_explained(template: Template) -> None:
    written = (ROOT / "template.yaml").read_text(encoding="utf-8")
    document = "\n".join(
        (ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("deploy.md", "settings.md")
    )

    for name, parameter in load()["Parameters"].items():
        used = rf"(!Ref {name}\b|\$\{{{name}\}})"
        assert re.search(used, written), name
        assert parameter.get("Description") or parameter.get("AllowedValues"), name
        setting = re.sub(r"(?<!^)(?=[A-Z])", "_", name).upper()
        assert re.search(rf"`(?:{name}|{setting})[`= ]", document), name


def test_a_stack_within_the_stack_is_told_all_that_it_asks_for(template: Template) -> None:
    inner = nested()
    written = load()["Resources"]

    for name, stack in of_type(template, "AWS::CloudFormation::Stack").items():
        file = written[name]["Properties"]["TemplateURL"].removeprefix("stacks/")
        asked = inner[file]["Parameters"]
        needed = {key for key, parameter in asked.items() if "Default" not in parameter}
        assert needed <= stack["Parameters"].keys() <= asked.keys(), name
        for output in re.findall(rf'"{name}", "Outputs\.(\w+)"', json.dumps(template)):
            assert output in inner[file]["Outputs"], f"{name}.{output}"


def test_the_first_deployment_needs_nothing_but_an_issuer() -> None:
    needed = [
        name for name, parameter in load()["Parameters"].items() if "Default" not in parameter
    ]
    defaults = {name: parameter.get("Default") for name, parameter in load()["Parameters"].items()}

    assert needed == []
    assert (defaults["Vpc"], defaults["Database"]) == ("new", "new")
    assert defaults["ExecutionMode"] == "paper"


def test_what_only_reads_and_what_takes_signals_in_log_in_as_roles_of_their_own(
    template: Template,
) -> None:
    functions = of_type(template, "AWS::Lambda::Function")
    roles = of_type(template, "AWS::IAM::Role")
    for function, kind, policy in (
        ("StatsApi", READER, "ReaderLoginPolicy"),
        ("SignalIntake", INTAKE, "IntakeLoginPolicy"),
    ):
        user = functions[function]["Environment"]["Variables"]["DB_USER"]["Fn::If"][2]
        assert user["Fn::If"][1] == {"Fn::Sub": f"${{DbUser}}{kind}"}
        statement = of_type(template, "AWS::IAM::ManagedPolicy")[policy]["PolicyDocument"]
        assert f"/${{DbUser}}{kind}" in json.dumps(statement)
        attached = [
            arn["Fn::If"]
            for arn in roles[f"{function}Role"]["ManagedPolicyArns"]
            if isinstance(arn, dict) and "Fn::If" in arn
        ]
        login = next(each for each in attached if each[0] == "HasRolesOfTheirOwn")
        assert login[1] == {"Ref": policy}
        assert all(each[1] != {"Ref": "DatabasePolicy"} for each in attached)


def test_setup_alone_may_read_the_administrator_s_login(template: Template) -> None:
    readers = {
        name for name, given in variables(template).items() if "DB_ADMIN_SECRET_ARN" in given
    }

    assert readers == {"Setup"}
    assert "db_admin_secret_arn" in SetupSettings.model_fields


def test_a_new_database_is_watched_by_the_name_that_it_gets(template: Template) -> None:
    (instance,) = of_type(nested()["database.yaml"], "AWS::RDS::DBInstance").values()
    watched = {
        alarm["MetricName"]: alarm["Dimensions"]
        for alarm in of_type(template, "AWS::CloudWatch::Alarm").values()
        if alarm["Namespace"] == "AWS/RDS"
    }

    assert watched.keys() == {"FreeStorageSpace", "DatabaseConnections", "CPUUtilization"}
    told = nested()["database.yaml"]["Outputs"]["Identifier"]["Value"]
    assert told == {"Ref": "Instance"}
    assert instance["DBInstanceIdentifier"] == {"Ref": "Name"}
    for dimensions in watched.values():
        ((name, value),) = ((each["Name"], each["Value"]) for each in dimensions)
        assert (name, value) == (
            "DBInstanceIdentifier",
            {"Fn::GetAtt": ["DatabaseStack", "Outputs.Identifier"]},
        )
