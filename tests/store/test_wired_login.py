"""Who logs in where the settings name a host: for setup the administrator, else the role."""

import json
from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws
from types_boto3_secretsmanager import SecretsManagerClient

from agent_where import wiring
from agent_where.errors import BadSetting
from agent_where.settings import ApiSettings, SetupSettings
from agent_where.store.connection import DatabaseSettings
from local.postgres import Postgres


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> Iterator[SecretsManagerClient]:
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    with mock_aws():
        yield boto3.client("secretsmanager")


@pytest.fixture
def host(postgres: Postgres) -> dict[str, str]:
    """The server by its host, as a role that it does not know."""
    where = DatabaseSettings.from_url(postgres.dsn())
    return {
        "DB_HOST": where.host,
        "DB_PORT": str(where.port),
        "DB_NAME": where.name,
        "DB_USER": "nobody",
    }


def login(postgres: Postgres) -> dict[str, str]:
    where = DatabaseSettings.from_url(postgres.dsn())
    return {"username": where.user, "password": postgres.password}


def test_setup_logs_in_as_the_secret_s_user_which_is_read_no_sooner_than_that(
    postgres: Postgres, host: dict[str, str], secrets: SecretsManagerClient
) -> None:
    arn = secrets.create_secret(Name="admin", SecretString="{}")["ARN"]
    settings = SetupSettings.from_environment(host | {"DB_ADMIN_SECRET_ARN": arn})

    database = wiring.database(settings)
    secrets.put_secret_value(SecretId=arn, SecretString=json.dumps(login(postgres)))

    (row,) = database.run("SELECT current_user AS name")
    database.close()
    assert row["name"] == login(postgres)["username"]


def test_a_secret_that_is_no_use_is_a_bad_setting_at_the_login(
    host: dict[str, str], secrets: SecretsManagerClient
) -> None:
    arn = secrets.create_secret(Name="admin", SecretString='{"password": "hidden"}')["ARN"]
    settings = SetupSettings.from_environment(host | {"DB_ADMIN_SECRET_ARN": arn})
    database = wiring.database(settings)

    with pytest.raises(BadSetting, match=r"^DB_ADMIN_SECRET_ARN: ") as caught:
        database.run("SELECT 1")

    assert "hidden" not in str(caught.value)


def test_no_other_function_logs_in_as_the_administrator_even_if_it_is_told_the_secret(
    postgres: Postgres, host: dict[str, str], secrets: SecretsManagerClient
) -> None:
    role = login(postgres)
    own = secrets.create_secret(Name="own", SecretString=json.dumps(role))["ARN"]
    told = host | {"DB_USER": role["username"], "DB_SECRET_ARN": own, "DB_ADMIN_SECRET_ARN": "none"}

    database = wiring.database(ApiSettings.from_environment(told))

    assert database.run("SELECT 1 AS one") == [{"one": 1}]
    database.close()
