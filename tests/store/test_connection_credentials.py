"""Passwords from AWS: a token that RDS would accept, and a secret as RDS writes it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from moto import mock_aws
from types_boto3_secretsmanager import SecretsManagerClient

from agent_where.errors import BadSetting, DatabaseUnavailable
from agent_where.store._credentials import iam_password, secret_password

HOST, PORT, USER, REGION = "db.abc.eu-central-1.rds.amazonaws.com", 5432, "agent@where", "eu-west-3"


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def test_a_token_is_a_signed_url_without_its_scheme() -> None:
    token = iam_password(HOST, PORT, USER, REGION)

    parts = urlsplit(f"https://{token}")
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    assert parts.netloc == f"{HOST}:{PORT}"
    assert parts.path == "/"
    assert query["Action"] == "connect"
    assert query["DBUser"] == USER
    assert query["X-Amz-Expires"] == "900"
    assert query["X-Amz-Algorithm"] == "AWS4-HMAC-SHA256"
    assert query["X-Amz-SignedHeaders"] == "host"
    assert query["X-Amz-Credential"].startswith("AKIDEXAMPLE/")
    assert query["X-Amz-Credential"].endswith(f"/{REGION}/rds-db/aws4_request")
    assert len(query["X-Amz-Signature"]) == 64


@pytest.mark.parametrize("session_token", [None, "a/session+token=="])
def test_a_token_is_what_the_aws_client_would_make(
    monkeypatch: pytest.MonkeyPatch, session_token: str | None
) -> None:
    if session_token:
        monkeypatch.setenv("AWS_SESSION_TOKEN", session_token)
    rds = boto3.Session().client("rds", region_name=REGION)

    def both() -> tuple[dict[str, list[str]], dict[str, list[str]]]:
        return (
            _parsed(iam_password(HOST, PORT, USER, REGION)),
            _parsed(rds.generate_db_auth_token(HOST, PORT, USER, REGION)),
        )

    ours, theirs = both()
    while ours["X-Amz-Date"] != theirs["X-Amz-Date"]:
        ours, theirs = both()

    assert ours == theirs


def test_no_credentials_may_pass(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))

    with pytest.raises(DatabaseUnavailable, match="cannot sign a login token"):
        iam_password(HOST, PORT, USER, REGION)


@pytest.fixture
def secrets() -> Iterator[SecretsManagerClient]:
    with mock_aws():
        yield boto3.Session().client("secretsmanager")


def _store(secrets: SecretsManagerClient, text: str) -> str:
    arn: str = secrets.create_secret(Name="database", SecretString=text)["ARN"]
    return arn


def test_a_secret_gives_its_password_and_a_rotated_one_the_new(
    secrets: SecretsManagerClient,
) -> None:
    arn = _store(secrets, json.dumps({"username": "agent_where", "password": "first"}))
    assert secret_password(arn) == "first"

    secrets.put_secret_value(
        SecretId=arn, SecretString=json.dumps({"username": "agent_where", "password": "second"})
    )

    assert secret_password(arn) == "second"


@pytest.mark.parametrize(
    "text", ["hunter2", '"hunter2"', '{"pass": "hunter2"}', '{"password": ""}']
)
def test_a_secret_of_another_form_is_a_bad_setting_that_tells_nothing_of_it(
    secrets: SecretsManagerClient, text: str
) -> None:
    arn = _store(secrets, text)

    with pytest.raises(BadSetting, match=r"^DB_ADMIN_SECRET_ARN: ") as error:
        secret_password(arn, setting="DB_ADMIN_SECRET_ARN")

    assert "hunter2" not in str(error.value)
    assert error.value.__cause__ is None
    assert error.value.__context__ is None


def test_a_secret_that_does_not_exist_is_a_bad_setting(secrets: SecretsManagerClient) -> None:
    with pytest.raises(BadSetting, match=r"DB_SECRET_ARN: .*ResourceNotFoundException"):
        secret_password("arn:aws:secretsmanager:eu-central-1:123456789012:secret:none")


def test_secrets_manager_out_of_reach_may_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")

    with pytest.raises(DatabaseUnavailable, match="Secrets Manager"):
        secret_password("arn:aws:secretsmanager:eu-central-1:123456789012:secret:any")


def test_connecting_loads_no_aws_library() -> None:
    code = (
        "import sys; import agent_where.store.connection, agent_where.store._credentials;"
        "sys.exit(any(name in sys.modules for name in ('boto3', 'botocore')))"
    )

    layer = Path(__file__).parents[2] / "layers/core"
    done = subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": str(layer)}, check=False)

    assert done.returncode == 0


def _parsed(token: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(f"https://{token}").query)
