"""The HTTP functions as API Gateway calls them: an event file in, status and body out."""

import json
from collections.abc import Iterator, Mapping, Sequence
from copy import copy, deepcopy
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any, NamedTuple, cast
from uuid import UUID

from aws_lambda_powertools.utilities.typing import LambdaContext

from agent_where import wiring
from agent_where.callers import Caller, Scope
from agent_where.store.connection import Database, Row

ROOT = Path(__file__).parents[2]
MULTI_AGENT = UUID("a0000000-0000-4000-8000-000000000001")
STATIC_AGENT = UUID("a0000000-0000-4000-8000-000000000002")
SPOT_AGENT = UUID("a0000000-0000-4000-8000-000000000003")
NOBODY = UUID("a0000000-0000-4000-8000-00000000000f")
DEPLOYMENT = UUID("d0000000-0000-4000-8000-000000000001")
SIGNAL = UUID("50000000-0000-4000-8000-000000000001")
CREATOR = "0xABaBaBaBABabABabAbAbABAbABabababaBaBABaB"
WALLET = f"0x{'cd' * 20}"
OPERATOR = Caller(subject="an-operator", scopes=frozenset({Scope.ADMIN}), wallet=None)
CONFIG_KEYS = {
    "id",
    "agent_id",
    "venue_priority",
    "routing_strategy",
    "failover_enabled",
    "created_at",
    "updated_at",
    "isDefault",
}


def token(*scopes: str, wallet: str = "", expires: float = 4102444800) -> dict[str, str]:
    """What the authorizer tells of a token."""
    return {
        "subject": f"whoever owns {wallet or 'nothing'}",
        "scopes": " ".join(scopes),
        "wallet": wallet.lower(),
        "expires": str(int(expires)),
    }


class Answer(NamedTuple):
    status: int
    body: dict[str, Any]
    headers: dict[str, str]


class Context(LambdaContext):
    """What Powertools' Logger reads of it."""

    def __init__(self) -> None:
        self._function_name = "an-api"
        self._memory_limit_in_mb = 512
        self._invoked_function_arn = "arn:aws:lambda:eu-west-1:000000000000:function:an-api"
        self._aws_request_id = "1"


class Function:
    """One function, loaded anew as a cold start does, and its events."""

    def __init__(self, name: str) -> None:
        wiring.forget()
        self.name = name
        self.caller: Mapping[str, str] | None = token("admin")
        path = ROOT / "functions" / name / "app.py"
        spec = spec_from_file_location(f"{name}_app", path)
        assert spec is not None
        assert spec.loader is not None
        self.module = module_from_spec(spec)
        spec.loader.exec_module(self.module)

    def warm(self) -> None:
        """Connect to the database that the settings name at this moment."""
        for each in vars(self.module).values():
            if hasattr(each, "cache_info"):
                each()

    def called_by(self, caller: Mapping[str, str] | None) -> "Function":
        """The same function, its events with another authorizer's context; None: with none."""
        same = copy(self)
        same.caller = caller
        return same

    def send(self, case: str, **changes: object) -> Answer:
        """An event file, with `changes` at its top level."""
        return self.invoke({**event(self.name, case), **changes})

    def post(self, case: str, **changes: object) -> Answer:
        """An event file, with `changes` in its JSON body."""
        sent = event(self.name, case)
        return self.send(case, body=json.dumps(json.loads(sent["body"]) | changes))

    def ask(self, case: str, **query: str) -> Answer:
        """An event file with another query string."""
        return self.send(
            case,
            queryStringParameters=query,
            multiValueQueryStringParameters={name: [value] for name, value in query.items()},
        )

    def at(self, case: str, id_: object) -> Answer:
        """An event file with another id in its path."""
        sent = event(self.name, case)
        path = sent["resource"].replace("{id}", str(id_))
        return self.invoke({**sent, "path": path, "pathParameters": {"id": str(id_)}})

    def invoke(self, sent: Mapping[str, Any]) -> Answer:
        event = deepcopy(dict(sent))
        event["requestContext"]["authorizer"] = self.caller
        told = self.module.handler(event, Context())
        headers = {
            name: values[0]
            for name, values in cast(
                "Mapping[str, Sequence[str]]", told["multiValueHeaders"]
            ).items()
        }
        return Answer(told["statusCode"], json.loads(told["body"]), headers)


class Still(NamedTuple):
    """A function over a database that a test may look at and does not change."""

    function: Function
    database: Database
    connection: Database
    """The function's own."""

    def traces(self) -> list[Row]:
        """How many rows there are of what a request could have written."""
        return self.database.run(
            "SELECT (SELECT count(*) FROM agents) AS agents,"
            " (SELECT count(*) FROM agent_deployments) AS deployments,"
            " (SELECT count(*) FROM signals) AS signals,"
            " (SELECT jsonb_agg(to_jsonb(c)) FROM venue_routing_config c) AS configs"
        )


def event(function: str, case: str) -> dict[str, Any]:
    """One event file."""
    text = (ROOT / "events" / function / f"{case}.json").read_text(encoding="utf-8")
    return cast("dict[str, Any]", json.loads(text))


def cases(function: str) -> set[str]:
    """All event files of a function."""
    return {path.stem for path in (ROOT / "events" / function).glob("*.json")}


def seed(database: Database) -> None:
    """The agents and the deployment that the event files name."""
    for id_, venue in ((MULTI_AGENT, "MULTI"), (STATIC_AGENT, "HYPERLIQUID"), (SPOT_AGENT, "SPOT")):
        database.run(
            "INSERT INTO agents (id, creator_wallet, name, venue, status, profit_receiver_address)"
            " VALUES (:id, :wallet, :name, :venue, 'ACTIVE', :wallet)",
            id=id_,
            wallet=CREATOR,
            name=f"a {venue} agent",
            venue=venue,
        )
    database.run(
        "INSERT INTO agent_deployments (id, agent_id, user_wallet, max_notional_usd)"
        " VALUES (:id, :agent, :wallet, 5000)",
        id=DEPLOYMENT,
        agent=MULTI_AGENT,
        wallet=WALLET,
    )


def assert_failure(answer: Answer, status: int, code: str) -> None:
    """The documented shape of every failure, and nothing else."""
    assert answer.status == status, answer
    assert answer.body["success"] is False
    assert answer.body["code"] == code
    assert set(answer.body) - {"details"} == {"success", "error", "code"}
    assert answer.body["error"]
    assert "Traceback" not in json.dumps(answer.body)
    assert all(isinstance(each, str) for each in answer.body.get("details", []))
    assert answer.headers["Content-Type"] == "application/json"


def details(answer: Answer) -> set[str]:
    """The fields that a refusal names."""
    return {detail.split(":")[0] for detail in answer.body["details"]}


def keys_of(value: object) -> Iterator[str]:
    """Every key, however deep."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from keys_of(item)
    if isinstance(value, list):
        for item in value:
            yield from keys_of(item)
