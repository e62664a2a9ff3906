"""The setup function as it is invoked: loaded, its queues there, and its answers read."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType
from typing import Any

import boto3
import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext
from moto import mock_aws

from agent_where.store.connection import Database, DatabaseSettings
from tests.fixtures_database import MIGRATIONS

HERE = "arn:aws:lambda:eu-west-1:000000000000:function:setup"
MARKET = (
    "INSERT INTO venue_markets (venue, token_symbol, market_name, is_active, is_open, last_synced) "
    "VALUES (:venue, :token, :token, :active, :open, now() - make_interval(mins => :age))"
)


def load_app() -> ModuleType:
    """functions/setup/app.py, loaded as Lambda does: by its path."""
    spec = spec_from_file_location("setup_app", MIGRATIONS.parent / "app.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def queues_in(environment: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """Three queues in moto's SQS, and their URLs in the settings."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        environment.setenv(name, "testing")
    with mock_aws():
        sqs = boto3.client("sqs")
        urls = {
            setting: sqs.create_queue(
                QueueName=f"{setting.lower()}.fifo", Attributes={"FifoQueue": "true"}
            )["QueueUrl"]
            for setting in ("SIGNAL_QUEUE_URL", "ORDER_QUEUE_URL", "DEAD_LETTER_QUEUE_URL")
        }
        for setting, url in urls.items():
            environment.setenv(setting, url)
        yield urls


class Context(LambdaContext):
    """What Powertools' Logger reads of it."""

    def __init__(self) -> None:
        self._function_name = "setup"
        self._memory_limit_in_mb = 512
        self._invoked_function_arn = HERE
        self._aws_request_id = "1"


def invoke(app: ModuleType, event: dict[str, Any] | None = None) -> dict[str, Any]:
    answer: dict[str, Any] = app.handler(event or {}, Context())
    return answer


def by_name(answer: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {check["name"]: check for check in answer["checks"]}


def open_database(dsn: str) -> Database:
    return Database(DatabaseSettings.from_url(dsn))


def sync(database: Database, venue: str, *, age: int = 3, active: bool = True) -> None:
    for token, is_open in (("BTC", True), ("ETH", False)):
        database.run(MARKET, venue=venue, token=token, active=active, open=is_open, age=age)
