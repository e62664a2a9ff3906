"""The setup function: what it does, and what its answer says to do about what is missing."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import boto3
import pytest

from agent_where.store.store import Store
from local import deployment
from local.environment import Home
from local.postgres import Postgres
from local.processes import StepFailed
from local.stack import Stack
from tests.fixtures_database import MIGRATIONS
from tests.handlers.setting_up import by_name, invoke, load_app, open_database, queues_in, sync
from tests.store.roles import PASSWORD, TwoRoles, two_roles


@pytest.fixture(scope="module")
def app() -> ModuleType:
    return load_app()


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, empty_database: str) -> pytest.MonkeyPatch:
    """Settings that know an empty database and no queue."""
    for name in ("SIGNAL_QUEUE_URL", "ORDER_QUEUE_URL", "DEAD_LETTER_QUEUE_URL", "NETWORK"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATABASE_URL", empty_database)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("POWERTOOLS_TRACE_DISABLED", "true")
    return monkeypatch


@pytest.fixture
def queues(environment: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    with queues_in(environment) as urls:
        yield urls


def test_a_first_run_sets_everything_up_and_says_what_is_still_missing(
    app: ModuleType, environment: pytest.MonkeyPatch
) -> None:
    answer = invoke(app)

    assert answer["success"] is True
    assert answer["fit"] is False
    assert answer["applied"] == sorted(path.name for path in MIGRATIONS.glob("*.sql"))
    assert [todo for check in answer["checks"] for todo in check["todo"]] == [
        "Run market_sync: HYPERLIQUID has no markets yet",
        "Run market_sync: OSTIUM has no markets yet",
        "Set SIGNAL_QUEUE_URL: this function has no URL of it",
        "Set ORDER_QUEUE_URL: this function has no URL of it",
        "Set DEAD_LETTER_QUEUE_URL: this function has no URL of it",
    ]
    assert by_name(answer)["config"]["what"]["venuePriority"] == ["HYPERLIQUID", "OSTIUM"]
    assert by_name(answer)["network"]["what"] == {"served": "mainnet", "setting": "mainnet"}
    assert invoke(app)["applied"] == []


def test_with_markets_and_queues_the_installation_is_fit(
    app: ModuleType, queues: dict[str, str], empty_database: str
) -> None:
    invoke(app)
    database = open_database(empty_database)
    sync(database, "HYPERLIQUID")
    sync(database, "OSTIUM")
    database.close()

    answer = invoke(app)

    assert answer["fit"] is True
    assert all(check["ok"] and check["todo"] == [] for check in answer["checks"])
    assert by_name(answer)["markets: OSTIUM"]["what"] == {
        "total": 2,
        "active": 2,
        "open": 1,
        "ageMinutes": 3,
        "maxAgeMinutes": 60,
    }
    assert by_name(answer)["queue: signals"]["what"] == {"reachable": True, "depth": 0}


def test_dead_letters_are_a_finding_and_no_reason_not_to_trade(
    app: ModuleType, queues: dict[str, str], empty_database: str
) -> None:
    invoke(app)
    database = open_database(empty_database)
    sync(database, "HYPERLIQUID")
    sync(database, "OSTIUM")
    database.close()
    for setting, count in (("DEAD_LETTER_QUEUE_URL", 2), ("SIGNAL_QUEUE_URL", 1)):
        for number in range(count):
            boto3.client("sqs").send_message(
                QueueUrl=queues[setting],
                MessageBody="{}",
                MessageGroupId="g",
                MessageDeduplicationId=str(number),
            )

    answer = invoke(app)

    assert answer["fit"] is True
    assert by_name(answer)["queue: signals"]["what"]["depth"] == 1
    assert by_name(answer)["queue: dead letters"]["todo"] == [
        "Read the reasons of the 2 dead letters; send again what can succeed now"
    ]


def test_an_unreachable_queue_is_a_finding(
    app: ModuleType, queues: dict[str, str], environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("ORDER_QUEUE_URL", queues["ORDER_QUEUE_URL"] + "-gone")

    check = by_name(invoke(app))["queue: orders"]

    assert check["ok"] is False
    assert check["what"]["reachable"] is False
    assert "Make the queue reachable or correct ORDER_QUEUE_URL" in check["todo"][0]


def test_a_report_changes_nothing(
    app: ModuleType, environment: pytest.MonkeyPatch, empty_database: str
) -> None:
    answer = invoke(app, {"report": True})

    assert (answer["success"], answer["fit"], answer["applied"]) == (True, False, [])
    assert by_name(answer)["schema"]["todo"][0] == "Run setup: 0001_venues.sql is not applied yet"
    assert by_name(answer)["network"]["todo"] == ["Run setup: the database has no network recorded"]
    assert by_name(answer)["config"]["todo"][0].startswith("Run setup: ")
    database = open_database(empty_database)
    assert database.run("SELECT FROM pg_tables WHERE schemaname = 'public'") == []
    database.close()


def test_a_database_that_is_away_is_a_finding(
    app: ModuleType, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("DATABASE_URL", "postgresql://nobody:hidden@127.0.0.1:1/nothing")

    answer = invoke(app)

    assert (answer["success"], answer["fit"]) == (False, False)
    assert "Run setup again when it is back" in by_name(answer)["setup"]["todo"][0]
    assert by_name(answer)["database"]["todo"][0].startswith("Start the database, or correct")
    assert "queue: signals" in by_name(answer)
    assert "hidden" not in str(answer)


def on_aws(environment: pytest.MonkeyPatch, roles: TwoRoles) -> None:
    """The settings of a deployment whose setup logs in with a secret of its own."""
    environment.delenv("DATABASE_URL")
    told = {"DB_HOST": "127.0.0.1", "DB_PORT": str(roles.port), "DB_NAME": roles.name}
    told |= {"DB_USER": roles.app, "AWS_REGION": "eu-west-1"}
    for name, value in told.items():
        environment.setenv(name, value)


def test_setup_as_the_admin_leaves_a_database_that_the_functions_can_use(
    app: ModuleType,
    queues: dict[str, str],
    environment: pytest.MonkeyPatch,
    postgres: Postgres,
) -> None:
    with two_roles(postgres) as roles:
        on_aws(environment, roles)
        login = json.dumps({"username": roles.admin, "password": PASSWORD})
        secret = boto3.client("secretsmanager").create_secret(Name="admin", SecretString=login)
        environment.setenv("DB_ADMIN_SECRET_ARN", secret["ARN"])

        answer = invoke(app)

        assert answer["success"] is True
        assert by_name(answer)["rights"] == {
            "name": "rights",
            "ok": True,
            "what": {"role": roles.app, "exists": True, "ownsTables": False, "lacks": []},
            "todo": [],
        }
        with roles.as_role(roles.app) as functions:
            assert Store(functions).network() == "mainnet"


def test_an_admin_secret_that_cannot_be_asked_for_is_a_finding(
    app: ModuleType, environment: pytest.MonkeyPatch, postgres: Postgres
) -> None:
    with two_roles(postgres) as roles:
        on_aws(environment, roles)
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            environment.setenv(name, "testing")
        environment.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
        environment.setenv("DB_ADMIN_SECRET_ARN", "arn:aws:secretsmanager:eu-west-1:1:secret:a")

        answer = invoke(app)

    assert (answer["success"], answer["fit"]) == (False, False)
    assert "Secrets Manager" in by_name(answer)["database"]["todo"][0]
    assert by_name(answer)["database"]["what"]["reachable"] is False
    assert "queue: signals" in by_name(answer)


def test_a_login_secret_that_does_not_exist_is_a_finding(
    app: ModuleType,
    queues: dict[str, str],
    environment: pytest.MonkeyPatch,
    postgres: Postgres,
) -> None:
    with two_roles(postgres) as roles:
        on_aws(environment, roles)
        arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:gone"
        environment.setenv("DB_SECRET_ARN", arn)

        answer = invoke(app, {"report": True})

    assert by_name(answer)["database"]["todo"] == [
        "Correct the setting: DB_SECRET_ARN: Secrets Manager refused it: ResourceNotFoundException"
    ]


def test_a_run_is_one_subsegment_of_a_trace_and_its_report_no_part_of_it(
    app: ModuleType, environment: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []
    told: list[object] = []

    class Subsegment:
        def put_annotation(self, key: str, value: object) -> None:
            told.append(key)

        def put_metadata(self, key: str, value: object, namespace: str) -> None:
            told.append(value)

    class Provider:
        @contextmanager
        def in_subsegment(self, name: str) -> Iterator[Subsegment]:
            begun.append(name)
            yield Subsegment()

    environment.setattr(app.tracer, "provider", Provider())

    invoke(app)

    assert begun == ["## handler"]
    assert set(told) <= {"ColdStart", "Service"}


def test_on_a_laptop_a_changed_migration_says_how_to_start_anew(
    app: ModuleType, environment: pytest.MonkeyPatch, empty_database: str, tmp_path: Path
) -> None:
    class Deployed(Stack):
        """A stack whose functions run in this process."""

        def __init__(self) -> None:
            self.dsn = empty_database

        def invoke(self, function: str, payload: Mapping[str, Any] | None = None) -> Any:
            assert function == "setup"
            return invoke(app)

    deployment._set_up(Home(tmp_path), Deployed())
    database = open_database(empty_database)
    database.run("UPDATE schema_migrations SET checksum = 'x' WHERE version = 3")
    database.close()

    with pytest.raises(StepFailed, match=r"0003_routing\.sql.*`make clean` removes it") as failed:
        deployment._set_up(Home(tmp_path), Deployed())

    assert "setup failed" in str(failed.value)


def test_a_missing_setting_is_a_finding(app: ModuleType, environment: pytest.MonkeyPatch) -> None:
    environment.delenv("DATABASE_URL")

    answer = invoke(app)

    assert (answer["success"], answer["fit"]) == (False, False)
    assert "DATABASE_URL is needed" in by_name(answer)["settings"]["todo"][0]


def test_another_network_is_refused_with_what_to_do(
    app: ModuleType, environment: pytest.MonkeyPatch
) -> None:
    invoke(app)
    environment.setenv("NETWORK", "testnet")

    answer = invoke(app)

    assert (answer["success"], answer["fit"]) == (False, False)
    assert "serves mainnet and NETWORK is testnet" in by_name(answer)["setup"]["todo"][0]
    assert by_name(answer)["network"]["todo"] == [
        "Set NETWORK to mainnet or use another database: this one serves mainnet"
    ]
