"""The command-line client against a fake API of its own."""

from collections.abc import Callable, Iterator

import pytest
from typer.testing import CliRunner, Result

from agent_where_cli.main import app
from tests.cli.fake_api import TOKEN, FakeApi, FakeFunctions

Run = Callable[..., Result]


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with FakeApi() as fake:
        yield fake


@pytest.fixture
def run(api: FakeApi) -> Run:
    """Runs `agent-where`, with the fake's URL and token unless `env` tells others."""

    def invoke(*words: str, **env: str | None) -> Result:
        settings = {
            "AGENT_WHERE_URL": api.url,
            "AGENT_WHERE_TOKEN": TOKEN,
            "FORCE_COLOR": None,
            **env,
        }
        result = CliRunner().invoke(app, list(words), env=settings, catch_exceptions=False)
        assert TOKEN not in result.output
        return result

    return invoke


@pytest.fixture
def functions() -> Iterator[FakeFunctions]:
    with FakeFunctions() as fake:
        yield fake


@pytest.fixture
def run_on_aws(functions: FakeFunctions) -> Run:
    """Runs `agent-where` as the operator of the deployment `prod`, with AWS on loopback."""

    def invoke(*words: str, **env: str | None) -> Result:
        settings = {
            "AGENT_WHERE_STACK": "prod",
            "AWS_ENDPOINT_URL": functions.url.removesuffix("/api"),
            "AWS_REGION": "eu-west-1",
            "AWS_DEFAULT_REGION": "eu-west-1",
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_EC2_METADATA_DISABLED": "true",
            **env,
        }
        return CliRunner().invoke(app, list(words), env=settings, catch_exceptions=False)

    return invoke
