"""Every route for every kind of caller: who gets what; nobody learns of what is not theirs."""

import json
import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest

from agent_where.callers import Scope
from agent_where.contract.routes import ROUTES
from agent_where.store.connection import Database, DatabaseSettings
from local.postgres import Postgres
from tests.conftest import fresh_database
from tests.handlers.calling import Edge, operation_of
from tests.handlers.conftest import counted_connections, set_environment
from tests.handlers.gateway import Answer
from tests.issuer import AUDIENCE, Issuer, good_claims, mint
from tests.world import World, signal

CREATOR, FOLLOWER, ANOTHER, STRANGER = (f"0x{digit * 40}" for digit in "abcd")
WALLETS = {"creator": CREATOR, "follower": FOLLOWER, "another": ANOTHER, "stranger": STRANGER}
PEOPLE = (*WALLETS, "operator")
ALL_SCOPES = "routing:read routing:write signals:write"


@dataclass(frozen=True)
class Cast:
    """Who and what there is: an ACTIVE and a DRAFT agent of the creator, two followers, a trade."""

    active: UUID
    draft: UUID
    followed: UUID
    followed_by_another: UUID
    traded: UUID
    template: str


@pytest.fixture(scope="module")
def scene(postgres: Postgres, migrated_template: str) -> Iterator[Cast]:
    with fresh_database(postgres, template=migrated_template) as dsn:
        world = World(dsn)
        active, draft = world.agent(), world.agent(status="DRAFT")
        world.rows(
            "UPDATE agents SET creator_wallet = :wallet", wallet=CREATOR.upper().replace("X", "x")
        )
        followed, other = world.follow(active, FOLLOWER), world.follow(active, ANOTHER)
        world.both_markets()
        message = signal(active)
        world.take(message)
        world.work()
        world.dispose()
        yield Cast(active, draft, followed, other, message.signal_id, dsn.rsplit("/", 1)[1])


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with Issuer() as made:
        yield made


@contextmanager
def opened_edge(postgres: Postgres, scene: Cast, issuer: Issuer) -> Iterator[Edge]:
    with (
        pytest.MonkeyPatch.context() as patch,
        fresh_database(postgres, template=scene.template) as dsn,
        counted_connections(patch),
    ):
        set_environment(patch, dsn)
        patch.setenv("JWT_ISSUER", issuer.url)
        patch.setenv("JWT_AUDIENCE", AUDIENCE)
        yield Edge()


@pytest.fixture
def edge(postgres: Postgres, scene: Cast, issuer: Issuer) -> Iterator[Edge]:
    """Over a database of the test's own."""
    with opened_edge(postgres, scene, issuer) as made:
        yield made


@pytest.fixture(scope="module")
def still(postgres: Postgres, scene: Cast, issuer: Issuer) -> Iterator[Edge]:
    """For requests that change nothing."""
    with opened_edge(postgres, scene, issuer) as made:
        yield made


@pytest.fixture
def database(edge: Edge) -> Iterator[Database]:
    """Another connection to where the edge's functions are connected."""
    opened = Database(DatabaseSettings.from_url(os.environ["DATABASE_URL"]))
    yield opened
    opened.close()


def token_of(issuer: Issuer, person: str, scopes: str | None = None) -> str:
    if person == "operator":
        return issuer.token(time.time(), scope=scopes or "admin", wallet=None)
    return issuer.token(time.time(), scope=scopes or ALL_SCOPES, wallet=WALLETS[person])


# Requests, with what each of PEOPLE is answered

SIZE = {"type": "fixed-usdc", "value": "50"}
NEW = {"name": "n", "venue": "MULTI", "profit_receiver_address": CREATOR}
PRIORITY = {"venuePriority": ["OSTIUM"]}
HALT = {"state": "HALTED", "reason": "a test"}


@dataclass(frozen=True)
class Row:
    """`{active}` and so on in path and body stand for the scene's ids."""

    method: str
    path: str
    outcomes: str
    body: Mapping[str, object] | None = None

    def request(self, scene: Cast, **other: UUID) -> tuple[str, str, Any]:
        ids = {**vars(scene), "new": uuid4(), **other}
        ids = {name: str(value) for name, value in ids.items()}
        told = json.dumps(self.body)
        for name, value in ids.items():
            told = told.replace(f"{{{name}}}", value)
        return self.method, self.path.format(**ids), json.loads(told)

    def __str__(self) -> str:
        told = " ".join(
            f"{name}={value}" for name, value in (self.body or {}).items() if value != "n"
        )
        return f"{self.method} {self.path} {told}"[:90]


EVERYBODY, OWN, HIS = "200 200 200 200 200", "200 404 404 404 200", "404 200 404 404 200"
ADMIN_ONLY, BAD = "403 403 403 403 200", "400 400 400 400 400"
ASKED: Mapping[str, object] = {"tokenSymbol": "BTC", "side": "LONG"}
FOLLOWS: Mapping[str, object] = {"venues": ["OSTIUM"]}
SENT: Mapping[str, object] = {"agentId": "{active}", **ASKED, "sizeModel": SIZE}
DEPLOYMENTS = "/agents/{active}/deployments"
TABLE = (
    Row("GET", "/venue-routing/config", EVERYBODY),
    Row("GET", "/venue-routing/config?agentId={active}", OWN),
    Row("POST", "/venue-routing/config", OWN, {"agentId": "{active}", **PRIORITY}),
    Row("POST", "/venue-routing/config", ADMIN_ONLY, PRIORITY),
    Row("POST", "/venue-routing/config", ADMIN_ONLY, {"agentId": None, **PRIORITY}),
    Row("DELETE", "/venue-routing/config?agentId={active}", OWN),
    Row("GET", "/venue-routing/stats", EVERYBODY),
    Row("GET", "/venue-routing/history", EVERYBODY),
    Row("GET", "/venue-routing/history?signalId={traded}", OWN),
    Row("POST", "/venue-routing/preview", EVERYBODY, ASKED),
    Row("POST", "/venue-routing/preview", OWN, {"agentId": "{active}", **ASKED}),
    Row("GET", "/agents", EVERYBODY),
    Row("GET", "/agents?listed=active", EVERYBODY),
    Row("POST", "/agents", "201 201 201 201 400", NEW),
    Row("POST", "/agents", "201 403 403 403 201", {**NEW, "creator_wallet": CREATOR}),
    Row("POST", "/agents", BAD, {**NEW, "creator_wallet": CREATOR, "key_ref": "kms:x"}),
    Row("GET", "/agents/{active}", EVERYBODY),
    Row("GET", "/agents/{draft}", OWN),
    Row("PATCH", "/agents/{active}", OWN, {"name": "renamed"}),
    Row("PATCH", "/agents/{draft}", OWN, {"status": "ACTIVE"}),
    Row("PATCH", "/agents/{active}", BAD, {"creator_wallet": STRANGER}),
    Row("GET", DEPLOYMENTS, EVERYBODY),
    Row("GET", "/agents/{draft}/deployments", OWN),
    Row("POST", DEPLOYMENTS, "201 409 409 201 400", FOLLOWS),
    Row("POST", "/agents/{draft}/deployments", "201 404 404 404 400", FOLLOWS),
    Row("POST", DEPLOYMENTS, "403 409 403 403 409", {**FOLLOWS, "user_wallet": FOLLOWER}),
    Row("POST", DEPLOYMENTS, BAD, {**FOLLOWS, "key_ref": "kms:x"}),
    Row("POST", DEPLOYMENTS, BAD, {**FOLLOWS, "approved_until": None}),
    Row("GET", "/deployments/{followed}", "200 200 404 404 200"),
    Row("PATCH", "/deployments/{followed}", HIS, {"maxLeverage": "2"}),
    Row("PATCH", "/deployments/{followed}", BAD, {"user_wallet": STRANGER}),
    Row("GET", "/controls", EVERYBODY),
    Row("PUT", "/controls", ADMIN_ONLY, {"scope": "global", **HALT}),
    Row("PUT", "/controls", ADMIN_ONLY, {"scope": "venue", "id": "OSTIUM", **HALT}),
    Row("PUT", "/controls", OWN, {"scope": "agent", "id": "{active}", **HALT}),
    Row("PUT", "/controls", HIS, {"scope": "deployment", "id": "{followed}", **HALT}),
    Row("POST", "/signals", "202 404 404 404 202", {"signalId": "{new}", **SENT}),
    Row("POST", "/signals", "409 404 404 404 409", {"signalId": "{traded}", **SENT}),
    Row("GET", "/signals/{traded}", "200 200 200 404 200"),
    Row("GET", "/positions", EVERYBODY),
    Row("GET", "/positions?agentId={active}", EVERYBODY),
    Row("GET", "/positions?agentId={draft}", OWN),
    Row("GET", "/positions?deploymentId={followed}", "200 200 404 404 200"),
    Row("GET", "/venue-markets", EVERYBODY),
    Row("GET", "/status/details", ADMIN_ONLY),
)
FREE = {"/status", "/openapi.json"}


def test_every_route_that_needs_a_token_is_in_the_table() -> None:
    told = {
        operation_of(row.method, re.sub(r"{\w+}", "x", row.path.split("?")[0])).name
        for row in TABLE
    }

    assert told == {operation.name for operation in ROUTES if operation.scope is not None}
    assert {operation.path for operation in ROUTES if operation.scope is None} == FREE


@pytest.mark.parametrize("row", TABLE, ids=str)
def test_each_person_is_answered_as_the_contract_says(
    edge: Edge, issuer: Issuer, scene: Cast, row: Row
) -> None:
    """An operator goes last: what an operator sets may bind the others."""
    answers = {
        person: edge.call(*_with_token(row.request(scene), token_of(issuer, person)))
        for person in PEOPLE
    }

    told = " ".join(str(answer.status) for answer in answers.values())
    assert told == row.outcomes, {person: answer.body for person, answer in answers.items()}
    for answer in answers.values():
        assert answer.body["success"] is (answer.status < 300)


@pytest.mark.parametrize(
    "row", [row for row in TABLE if "404" in row.outcomes and "{new}" not in str(row.body)], ids=str
)
def test_what_is_another_s_is_answered_like_what_does_not_exist(
    still: Edge, issuer: Issuer, scene: Cast, row: Row
) -> None:
    token = token_of(issuer, "stranger")
    nothing = {name: uuid4() for name in ("active", "draft", "followed", "traded")}

    foreign = still.call(*_with_token(row.request(scene), token))
    absent = still.call(*_with_token(row.request(scene, **nothing), token))

    assert foreign.status == absent.status == 404
    assert _without_ids(foreign) == _without_ids(absent)


@pytest.mark.parametrize("row", TABLE, ids=str)
def test_a_token_without_the_scope_is_forbidden_whatever_it_names(
    still: Edge, issuer: Issuer, scene: Cast, row: Row
) -> None:
    method, path, body = row.request(scene)
    needed = operation_of(method, path.split("?")[0]).scope
    others = " ".join(scope for scope in Scope if scope not in (needed, Scope.ADMIN))

    answer = still.call(method, path, token_of(issuer, "creator", others), body)

    assert (answer.status, answer.body["code"]) == (403, "FORBIDDEN")


def bad_tokens(issuer: Issuer) -> dict[str, str | None]:
    now = time.time()
    claims = good_claims(issuer.url, now, scope="admin")
    return {
        "no token": None,
        "no token at all": "",
        "garbage": "a.b.c",
        "expired": issuer.token(now, exp=int(now) - 1, scope="admin"),
        "not yet valid": issuer.token(now, nbf=int(now) + 60, scope="admin"),
        "wrong audience": issuer.token(now, aud="another-api", scope="admin"),
        "wrong issuer": issuer.token(now, iss="https://issuer.example/", scope="admin"),
        "no algorithm": mint(issuer.key, claims, "none"),
        "an HMAC with the public key": mint(issuer.key, claims, "HS256"),
    }


@pytest.mark.parametrize("row", TABLE, ids=str)
def test_without_a_good_token_no_route_answers_anything_but_401(
    still: Edge, issuer: Issuer, scene: Cast, row: Row
) -> None:
    method, path, body = row.request(scene)

    for kind, token in bad_tokens(issuer).items():
        answer = still.call(method, path, token, body)
        assert (answer.status, answer.body["code"]) == (401, "UNAUTHORIZED"), kind


@pytest.mark.parametrize("row", TABLE, ids=str)
def test_a_token_that_expired_since_the_authorizer_was_asked_is_refused_by_the_function(
    still: Edge, issuer: Issuer, scene: Cast, row: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    method, path, body = row.request(scene)
    now = time.time()
    token = issuer.token(now, exp=int(now) + 30, scope="admin")
    assert still.context(f"Bearer {token}") is not None
    monkeypatch.setattr("agent_where.api.time.time", lambda: now + 31)

    answer = still.call(method, path, token, body)

    assert (answer.status, answer.body["code"]) == (401, "UNAUTHORIZED")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("row", TABLE, ids=str)
def test_a_token_without_a_wallet_reaches_nothing_of_anybody(
    edge: Edge, issuer: Issuer, scene: Cast, row: Row
) -> None:
    method, path, body = row.request(scene)
    nameless = issuer.token(time.time(), scope=ALL_SCOPES, wallet=None)

    makes_something_of_his = method == "POST" and path.endswith(("/agents", "/deployments"))

    answer = edge.call(method, path, nameless, body)
    stranger = edge.call(method, path, token_of(issuer, "stranger"), body)

    expected = 403 if makes_something_of_his and stranger.status != 400 else stranger.status
    assert answer.status == expected


# What is in the answers


def test_lists_hold_one_s_own_and_no_more(edge: Edge, issuer: Issuer, scene: Cast) -> None:
    def seen(person: str, path: str, key: str) -> list[Any]:
        answer = edge.call("GET", path, token_of(issuer, person))
        found: list[Any] = answer.body[key]
        return found

    def counts(path: str, key: str) -> list[int]:
        return [len(seen(person, path, key)) for person in PEOPLE]

    assert counts("/agents", "agents") == [2, 0, 0, 0, 2]
    assert counts("/agents?listed=active", "agents") == [1, 1, 1, 1, 1]
    assert counts("/positions", "positions") == [2, 1, 1, 0, 2]
    assert counts(f"/positions?agentId={scene.active}", "positions") == [2, 1, 1, 0, 2]
    assert counts(f"/agents/{scene.active}/deployments", "deployments") == [2, 1, 1, 0, 2]
    assert counts("/venue-routing/history", "history") == [1, 0, 0, 0, 1]
    assert counts("/venue-routing/stats", "recentRouting") == [1, 0, 0, 0, 1]


def test_statistics_count_one_s_own_agents(edge: Edge, issuer: Issuer) -> None:
    totals = [
        edge.call("GET", "/venue-routing/stats", token_of(issuer, person)).body["stats"]["total"]
        for person in PEOPLE
    ]

    assert totals == [1, 0, 0, 0, 1]


def test_an_active_agent_of_another_is_four_keys_and_no_more(
    edge: Edge, issuer: Issuer, scene: Cast
) -> None:
    path = f"/agents/{scene.active}"
    one = edge.call("GET", path, token_of(issuer, "stranger")).body["agent"]
    listed = edge.call("GET", "/agents?listed=active", token_of(issuer, "creator")).body["agents"]

    assert one.keys() == listed[0].keys() == {"id", "name", "venue", "status"}
    assert one == listed[0]


@pytest.mark.parametrize(
    ("person", "hidden"),
    [
        ("creator", {FOLLOWER, ANOTHER}),
        ("follower", {ANOTHER}),
        ("another", {FOLLOWER}),
        ("operator", set()),
    ],
)
def test_whose_a_deployment_or_a_trade_is_is_told_to_its_user_alone(
    edge: Edge, issuer: Issuer, scene: Cast, person: str, hidden: set[str]
) -> None:
    paths = [
        f"/agents/{scene.active}/deployments",
        f"/deployments/{scene.followed}",
        f"/signals/{scene.traded}",
        "/positions",
        "/controls",
        f"/venue-routing/history?signalId={scene.traded}",
    ]

    told = "".join(
        json.dumps(edge.call("GET", path, token_of(issuer, person)).body) for path in paths
    )

    known = {FOLLOWER, ANOTHER} - hidden
    assert not any(wallet in told for wallet in hidden)
    assert all(wallet in told for wallet in known)


@pytest.mark.parametrize("person", ["creator", "follower"])
def test_no_words_tell_whose_another_s_trade_is(
    edge: Edge, issuer: Issuer, scene: Cast, database: Database, person: str
) -> None:
    """Venues and refusals write what they like into details and reasons."""
    database.script(
        "SET LOCAL session_replication_role = replica;"
        "UPDATE venue_orders SET detail = 'no key of ' || account || ' does that';"
        "INSERT INTO venue_routing_history (signal_id, deployment_id, attempt, token_symbol,"
        " requested_venue, routing_reason, skipped_reason, checked_venues, venue_availability,"
        " routing_duration_ms)"
        " SELECT signal_id, deployment_id, 2, token_symbol, 'MULTI', detail, detail, '{}', '{}', 0"
        " FROM venue_orders;"
    )
    token = token_of(issuer, person)
    paths = (f"/signals/{scene.traded}", "/venue-routing/history", "/venue-routing/stats")

    told = "".join(json.dumps(edge.call("GET", path, token).body) for path in paths)

    assert ANOTHER not in told
    assert (FOLLOWER in told) is (person == "follower")
    assert "does that" in told


def test_a_follower_sees_his_part_of_a_trade_and_the_creator_all_of_it(
    edge: Edge, issuer: Issuer, scene: Cast
) -> None:
    def trade(person: str) -> dict[str, Any]:
        return edge.call("GET", f"/signals/{scene.traded}", token_of(issuer, person)).body

    mine, whole = trade("follower"), trade("creator")

    assert {order["deploymentId"] for order in mine["orders"]} == {str(scene.followed)}
    assert {each["deploymentId"] for each in mine["positions"]} == {str(scene.followed)}
    assert {fill["orderId"] for fill in mine["fills"]} == {order["id"] for order in mine["orders"]}
    assert [order["account"] for order in mine["orders"]] == [FOLLOWER]
    assert len(whole["orders"]) == len(whole["fills"]) == len(whole["positions"]) == 2
    assert {order["account"] for order in whole["orders"]} == {None}
    assert {fill["venueFillId"] for fill in whole["fills"]} == {None}
    assert len(mine["decisions"]) == len(whole["decisions"]) == 1


def test_who_follows_after_a_signal_does_not_see_it(
    edge: Edge, issuer: Issuer, scene: Cast
) -> None:
    token = token_of(issuer, "stranger")
    followed = edge.call(
        "POST", f"/agents/{scene.active}/deployments", token, {"venues": ["OSTIUM"]}
    )
    assert followed.status == 201

    assert edge.call("GET", f"/signals/{scene.traded}", token).status == 404


def test_what_was_refused_left_no_trace(
    edge: Edge, issuer: Issuer, scene: Cast, database: Database
) -> None:
    def rows() -> list[dict[str, Any]]:
        return database.run(
            "SELECT (SELECT jsonb_agg(to_jsonb(a) ORDER BY id) FROM agents a) AS agents,"
            " (SELECT jsonb_agg(to_jsonb(d) ORDER BY id) FROM agent_deployments d) AS deployments,"
            " (SELECT jsonb_agg(to_jsonb(c) ORDER BY id) FROM venue_routing_config c) AS configs,"
            " (SELECT jsonb_agg(to_jsonb(t)) FROM trading_controls t) AS controls,"
            " (SELECT count(*) FROM signals) AS signals"
        )

    before = rows()
    token = token_of(issuer, "stranger")

    for row in TABLE:
        if row.method != "GET" and row.outcomes.split()[3].startswith("4"):
            assert edge.call(*_with_token(row.request(scene), token)).status >= 400

    assert rows() == before


def test_a_wallet_is_compared_in_any_case_but_kept_as_it_was_written(
    edge: Edge, issuer: Issuer, database: Database
) -> None:
    token = issuer.token(time.time(), scope=ALL_SCOPES, wallet=f"0x{'A' * 40}")

    answer = edge.call("POST", "/agents", token, {**NEW, "creator_wallet": f"0x{'A' * 40}"})

    assert answer.body["agent"]["creator_wallet"] == f"0x{'A' * 40}"
    assert edge.call("GET", f"/agents/{answer.body['agent']['id']}", token).status == 200
    assert len(edge.call("GET", "/agents", token).body["agents"]) == 3


def test_a_follower_may_follow_another_agent_by_his_token_alone(
    edge: Edge, issuer: Issuer, scene: Cast
) -> None:
    token = token_of(issuer, "stranger")

    told = edge.call("POST", f"/agents/{scene.active}/deployments", token, {"venues": ["OSTIUM"]})

    assert told.body["deployment"]["user_wallet"] == STRANGER
    assert [each["account"] for each in told.body["deployment"]["accounts"]] == [STRANGER]
    assert told.body["deployment"]["accounts"][0]["signer_address"] is None


def _with_token(request: tuple[str, str, Any], token: str) -> tuple[str, str, str, Any]:
    method, path, body = request
    return method, path, token, body


def _without_ids(answer: Answer) -> list[str]:
    return [word for word in json.dumps(answer.body).split() if word.count("-") < 4]
