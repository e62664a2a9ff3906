"""Writing agents and deployments over HTTP."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest

from agent_where.contract.bodies import DeploymentBody
from agent_where.errors import Conflict
from agent_where.parsing import validate
from agent_where.store.connection import Database
from tests.handlers.conftest import Writers
from tests.handlers.gateway import (
    CREATOR,
    DEPLOYMENT,
    MULTI_AGENT,
    NOBODY,
    OPERATOR,
    Function,
    Still,
    assert_failure,
    details,
    keys_of,
)

FUNCTION = "config_api"


@pytest.fixture
def config(api_database: Database) -> Function:
    return Function(FUNCTION)


def test_a_new_agent_is_told_back_whole(config: Function) -> None:
    told = config.send("create_agent").body["agent"]

    assert UUID(told.pop("id")).version == 4
    assert told.pop("created_at").endswith("Z")
    assert told == {
        "name": "Multi-Venue Agent",
        "venue": "MULTI",
        "status": "ACTIVE",
        "creator_wallet": CREATOR,
        "profit_receiver_address": CREATOR,
        "weights": [1, 1, 1],
    }


def test_every_bad_field_of_an_agent_is_named(still: Still) -> None:
    assert details(still.function.send("create_agent_bad_fields")) == {
        "name",
        "venue",
        "creator_wallet",
        "weights.0",
    }


@pytest.mark.parametrize(
    "change",
    [
        {"name": "n" * 101},
        {"name": None},
        {"status": "RUNNING"},
        {"weights": [40_000]},
        {"weights": ["1"]},
        {"weights": [True]},
        {"creator_wallet": f"0x{'g' * 40}"},
        {"creator_wallet": f"0x{'a' * 40}\n"},
        {"profit_receiver_address": None},
        {"id": str(NOBODY)},
    ],
)
def test_a_bad_agent_is_refused(still: Still, change: dict[str, Any]) -> None:
    assert_failure(still.function.post("create_agent", **change), 400, "BAD_INPUT")


def test_a_change_of_an_agent_leaves_the_rest(config: Function) -> None:
    told = config.send("change_agent").body["agent"]

    assert (told["status"], told["name"]) == ("PAUSED", "Resting")
    assert (told["venue"], told["creator_wallet"]) == ("MULTI", CREATOR)


@pytest.mark.parametrize("change", [{"name": None}, {"status": None}, {"venue": ""}])
def test_what_an_agent_must_have_cannot_be_taken_away(still: Still, change: dict[str, Any]) -> None:
    assert_failure(still.function.post("change_agent", **change), 400, "BAD_INPUT")


def test_a_deployment_is_told_back_with_its_accounts_and_no_key(
    config: Function, api_database: Database
) -> None:
    answer = config.send("create_deployment")

    told = answer.body["deployment"]
    assert told["agent_id"] == str(MULTI_AGENT)
    assert (told["maxNotionalUsd"], told["maxLeverage"]) == ("2500.5", "5")
    assert (told["status"], told["sub_active"]) == ("ACTIVE", True)
    assert told["venues"] == ["HYPERLIQUID", "OSTIUM"]
    assert told["accounts"] == [
        {
            "venue": venue,
            "account": f"0x{'ab' * 20}",
            "signer_address": None,
            "approved_until": None,
            "approval": None,
        }
        for venue in ("HYPERLIQUID", "OSTIUM")
    ]
    assert "key_ref" not in set(keys_of(answer.body))
    rows = api_database.run("SELECT account FROM venue_accounts")
    assert {row["account"] for row in rows} == {f"0x{'ab' * 20}"}


def test_an_account_that_is_there_already_is_kept(config: Function, api_database: Database) -> None:
    api_database.run(
        "INSERT INTO venue_accounts (account, venue, last_nonce) VALUES (:a, 'OSTIUM', 7)",
        a=f"0x{'ab' * 20}",
    )

    config.send("create_deployment")

    rows = api_database.run("SELECT last_nonce FROM venue_accounts WHERE venue = 'OSTIUM'")
    assert rows == [{"last_nonce": 7}]


def test_the_same_user_twice_at_the_same_moment_follows_once(
    api_database: Database, writers: Writers
) -> None:
    spellings = [f"0x{'ab' * 20}", f"0x{'AB' * 20}", CREATOR]

    def follow(wallet: str) -> bool:
        told = {"venues": ["OSTIUM"], "user_wallet": wallet}
        try:
            writers().create_deployment(OPERATOR, MULTI_AGENT, validate(DeploymentBody, told))
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        followed = list(pool.map(follow, spellings))

    assert sum(followed) == 1
    rows = api_database.run(
        "SELECT FROM agent_deployments WHERE lower(user_wallet) = :wallet", wallet=f"0x{'ab' * 20}"
    )
    assert len(rows) == 1


def test_a_change_of_a_deployment_takes_limits_away_and_makes_accounts(
    config: Function, api_database: Database
) -> None:
    told = config.send("change_deployment").body["deployment"]

    assert told["id"] == str(DEPLOYMENT)
    assert (told["status"], told["maxNotionalUsd"], told["venues"]) == (
        "PAUSED",
        None,
        ["OSTIUM", "GMX"],
    )
    assert {account["venue"] for account in told["accounts"]} == {"OSTIUM", "GMX"}


def test_a_limit_that_is_not_told_stays(config: Function) -> None:
    told = config.send("change_deployment", body='{"maxLeverage": 3}').body["deployment"]

    assert (told["maxNotionalUsd"], told["maxLeverage"], told["venues"]) == ("5000", "3", None)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"maxNotionalUsd": "-1"}, "maxNotionalUsd"),
        ({"maxNotionalUsd": "Infinity"}, "maxNotionalUsd"),
        ({"maxLeverage": "1e30"}, "maxLeverage"),
        ({"venues": None}, "venues"),
        ({"user_wallet": "vitalik.eth"}, "user_wallet"),
        ({"sub_active": True}, "sub_active"),
        ({"approved_until": "2030-01-01T00:00:00Z"}, "approved_until"),
    ],
)
def test_a_bad_deployment_is_refused_by_its_field(
    still: Still, change: dict[str, Any], field: str
) -> None:
    answer = still.function.post("create_deployment", **change)

    assert_failure(answer, 400, "BAD_INPUT")
    assert details(answer) == {field}
