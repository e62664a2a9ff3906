"""From following an agent to a key that may trade; KMS and the venue are on loopback."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.request import Request, urlopen

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data

from agent_where.domain import Mode
from agent_where.store.connection import Database
from local.simulators.hyperliquid import HyperliquidSimulator
from local.simulators.server import Server
from tests.handlers.gateway import (
    CREATOR,
    DEPLOYMENT,
    MULTI_AGENT,
    STATIC_AGENT,
    Answer,
    Function,
    assert_failure,
    keys_of,
    token,
)
from tests.handlers.workers import working
from tests.kms import Kms, served

LAPTOP_KEY = "0123456789012345678901234567890123456789012345678901234567890123"


class Street:
    """The functions in live mode, a user with a wallet, KMS and Hyperliquid."""

    def __init__(
        self, database: Database, dsn: str, kms: Kms, simulator: HyperliquidSimulator
    ) -> None:
        self.database = database
        self.dsn = dsn
        self.kms = kms
        self.simulator = simulator
        self.wallet = Account.create()
        self.user = str(self.wallet.address).lower()
        self.tell("deposit", user=self.user, usd=1000)

    def tell(self, what: str, **body: object) -> None:
        self.simulator.control.apply(f"/simulator/{what}", json.dumps(body).encode())

    def function(self, name: str, *scopes: str, wallet: str | None = None) -> Function:
        """Called with the user's token, or another's."""
        asked = token(*(scopes or ("routing:read", "routing:write")), wallet=wallet or self.user)
        return Function(name).called_by(asked)

    def follow(self, agent: object = MULTI_AGENT, **more: object) -> Answer:
        function = self.function("config_api")
        body = json.dumps({"venues": ["HYPERLIQUID", "OSTIUM"], **more})
        path = {"path": f"/agents/{agent}/deployments", "pathParameters": {"id": str(agent)}}
        return function.send("create_deployment", body=body, **path)

    def change(self, deployment: object, **more: object) -> Answer:
        path = {"path": f"/deployments/{deployment}", "pathParameters": {"id": str(deployment)}}
        return self.function("config_api").send("change_deployment", body=json.dumps(more), **path)

    def shown(self, deployment: object, **whose: Any) -> Answer:
        return self.function("stats_api", **whose).at("get_deployment", deployment)

    def approve(self, approval: dict[str, Any], wallet: Any = None) -> Any:
        """What a user's wallet does: sign the typed data, post it with the action."""
        signable = encode_typed_data(full_message=approval["typedData"])
        signed = (wallet or self.wallet).sign_message(signable)
        body = {
            "action": approval["action"],
            "nonce": approval["nonce"],
            "signature": {"r": hex(signed.r), "s": hex(signed.s), "v": signed.v},
        }
        sent = Request(
            approval["postTo"],
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urlopen(sent, timeout=5) as answer:
            return json.load(answer)

    def pass_a_day(self, patch: pytest.MonkeyPatch) -> None:
        """A run a day later."""
        self.database.run(
            "UPDATE venue_accounts SET"
            " approval_checked_at = approval_checked_at - interval '1 day',"
            " approval_lost_at = approval_lost_at - interval '1 day'"
        )
        self.reconcile(patch)

    def reconcile(self, patch: pytest.MonkeyPatch) -> None:
        """A run a minute later."""
        self.database.run(
            "UPDATE venue_accounts SET key_asked_at = key_asked_at - interval '61 seconds',"
            " approval_checked_at = approval_checked_at - interval '61 seconds'"
        )
        with working("reconcile", self.dsn, patch) as worker:
            assert worker.run("schedule")["success"]


@pytest.fixture
def street(
    api_database: Database, database_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Street]:
    kms = Kms()
    simulator = HyperliquidSimulator(lambda: datetime.now(UTC), is_mainnet=True)
    with Server(simulator) as server, served(kms, monkeypatch):
        monkeypatch.setenv("EXECUTION_MODE", "live")
        monkeypatch.setenv("MAX_ORDER_NOTIONAL_USD", "100")
        monkeypatch.setenv("HYPERLIQUID_API_URL", server.url)
        yield Street(api_database, database_dsn, kms, simulator)


def account(answer: Answer, venue: str = "HYPERLIQUID") -> dict[str, Any]:
    told: list[dict[str, Any]] = answer.body["deployment"]["accounts"]
    return next(each for each in told if each["venue"] == venue)


def test_from_following_an_agent_to_a_key_that_may_trade(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    followed = street.follow()
    assert followed.status == 201
    asked = account(followed)

    assert street.approve(asked["approval"])["status"] == "ok"
    street.reconcile(monkeypatch)

    told = account(street.shown(followed.body["deployment"]["id"]))
    assert told["signer_address"] == asked["signer_address"]
    assert told["approved_until"] == asked["approval"]["validUntil"]
    assert told["approval"] is None


def test_what_is_to_be_signed_names_the_key_its_end_and_this_installation(street: Street) -> None:
    before = datetime.now(UTC)

    told = account(street.follow())

    approval = told["approval"]
    ends = datetime.fromisoformat(approval["validUntil"])
    assert timedelta(days=178) < ends - before < timedelta(days=180)
    (row,) = street.database.run("SELECT id FROM installation")
    name = f"aw-{row['id'].hex[:10]}"
    assert len(name) <= 16
    assert approval["typedData"]["message"] == {
        "hyperliquidChain": "Mainnet",
        "agentAddress": told["signer_address"],
        "agentName": f"{name} valid_until {int(ends.timestamp() * 1000)}",
        "nonce": approval["nonce"],
    }
    assert approval["typedData"]["domain"]["chainId"] == 42161
    assert approval["action"]["type"] == "approveAgent"
    assert approval["postTo"].endswith("/exchange")
    assert abs(approval["nonce"] - before.timestamp() * 1000) < 60_000


def test_a_venue_where_nothing_is_signed_asks_for_nothing(street: Street) -> None:
    told = account(street.follow(), "OSTIUM")

    assert (told["signer_address"], told["approval"]) == (None, None)


def test_every_deployment_shows_the_same_key_with_a_fresh_request(street: Street) -> None:
    first, second = street.follow(), street.follow(STATIC_AGENT)
    again = street.shown(first.body["deployment"]["id"])
    changed = street.change(first.body["deployment"]["id"], maxLeverage=3)

    told = [account(each) for each in (first, second, again, changed)]
    assert len({each["signer_address"] for each in told}) == 1
    nonces = [each["approval"]["nonce"] for each in told]
    assert nonces == sorted(set(nonces))
    assert len(street.kms.tags) == 1


def test_a_list_of_deployments_shows_what_is_to_be_signed_too(street: Street) -> None:
    followed = street.follow()

    listed = street.function("stats_api").send("get_deployments").body["deployments"]

    (told,) = (each for each in listed if each["id"] == followed.body["deployment"]["id"])
    assert told["accounts"][0]["approval"]["action"]["type"] == "approveAgent"


def test_only_its_user_and_an_admin_see_what_is_to_be_signed(street: Street) -> None:
    deployment = street.follow().body["deployment"]["id"]

    for_admin = street.shown(deployment, wallet=f"0x{'ee' * 20}")
    assert_failure(for_admin, 404, "UNKNOWN_DEPLOYMENT")
    admin = street.function("stats_api", "admin").at("get_deployment", deployment)
    assert account(admin)["approval"] is not None
    creator = street.shown(deployment, wallet=CREATOR)
    assert creator.status == 200
    assert creator.body["deployment"]["accounts"] == []
    assert "approval" not in set(keys_of(creator.body))


def test_no_key_and_no_reference_to_one_leaves_the_server(street: Street) -> None:
    followed = street.follow()

    told = json.dumps(followed.body)
    assert "key_ref" not in told
    assert not any(key_id in told for key_id in street.kms.tags)


def test_another_s_signature_lets_the_key_trade_for_nobody(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    followed = street.follow()
    stranger = Account.create()
    street.tell("deposit", user=str(stranger.address).lower(), usd=1000)

    street.approve(account(followed)["approval"], stranger)
    street.reconcile(monkeypatch)

    told = account(street.shown(followed.body["deployment"]["id"]))
    assert told["approved_until"] is None
    assert told["approval"] is not None


def test_what_is_signed_for_one_network_does_nothing_on_the_other(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = account(street.follow())["approval"]
    asked["typedData"]["message"]["hyperliquidChain"] = "Testnet"

    assert street.approve(asked)["status"] == "err"


def test_without_kms_the_deployment_is_answered_and_its_key_made_later(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    street.kms.away = {"CreateKey"}

    followed = street.follow()

    assert followed.status == 201
    assert account(followed)["signer_address"] is None
    assert account(followed)["approval"] is None
    street.kms.away = set()
    street.reconcile(monkeypatch)
    told = account(street.shown(followed.body["deployment"]["id"]))
    assert told["signer_address"] is not None
    assert told["approval"] is not None


def test_a_change_of_a_deployment_makes_the_key_that_is_missing(street: Street) -> None:
    street.database.run("UPDATE agent_deployments SET user_wallet = :u", u=street.user)

    changed = street.change(DEPLOYMENT, venues=["HYPERLIQUID"])

    assert account(changed)["signer_address"] is not None
    assert len(street.kms.tags) == 1


def test_a_function_that_may_not_make_keys_still_answers(street: Street) -> None:
    street.kms.denied = {"CreateKey"}

    assert street.follow().status == 201
    assert street.kms.tags == {}


def test_on_paper_no_key_is_made_and_none_is_asked_for(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXECUTION_MODE", Mode.PAPER.value.lower())

    followed = street.follow()
    street.reconcile(monkeypatch)

    assert account(followed)["signer_address"] is None
    assert street.kms.asked == []


def test_back_on_paper_what_was_to_be_signed_is_shown_no_more(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    followed = street.follow()
    monkeypatch.delenv("EXECUTION_MODE")

    told = account(street.shown(followed.body["deployment"]["id"]))

    assert told["signer_address"] is not None
    assert told["approval"] is None


def test_a_laptop_names_its_own_key_and_kms_is_never_asked(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGNER_KEY_REF", "env:LAPTOP_KEY")
    monkeypatch.setenv("LAPTOP_KEY", LAPTOP_KEY)

    told = account(street.follow())

    assert told["signer_address"] == str(Account.from_key(LAPTOP_KEY).address).lower()
    assert street.kms.asked == []
    assert street.approve(told["approval"])["status"] == "ok"


@pytest.mark.parametrize(
    "setting", [("SIGNER_KEY_REF", "kms:anything"), ("EXECUTION_MODE", "real")]
)
def test_bad_settings_are_the_operators_to_read(
    street: Street, monkeypatch: pytest.MonkeyPatch, setting: tuple[str, str]
) -> None:
    monkeypatch.setenv(*setting)

    assert_failure(street.follow(), 503, "UNAVAILABLE")


def put_in_its_place(approval: dict[str, Any], agent: str) -> None:
    """Make it a request for another agent of the same name, which ends the first one's."""
    for told in (approval, approval["action"], approval["typedData"]["message"]):
        told["nonce"] += 1
        told["agentAddress"] = agent


def test_a_key_whose_approval_the_user_took_back_makes_way_for_another(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    followed = street.follow()
    first = account(followed)
    street.approve(first["approval"])
    street.reconcile(monkeypatch)
    put_in_its_place(first["approval"], "0x" + "77" * 20)
    assert street.approve(first["approval"])["status"] == "ok"

    street.pass_a_day(monkeypatch)

    told = account(street.shown(followed.body["deployment"]["id"]))
    assert (told["approved_until"], told["approval"]) == (None, None), "it is refused a second time"
    street.pass_a_day(monkeypatch)
    street.reconcile(monkeypatch)
    told = account(street.shown(followed.body["deployment"]["id"]))
    assert told["signer_address"] != first["signer_address"]
    assert street.approve(told["approval"])["status"] == "ok"
