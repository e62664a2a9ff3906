"""Who may do what on the simulator: signers, nonces, expiry, agents, sub-accounts, malformed."""

import json
from typing import Any

import pytest
from eth_account import Account
from hypothesis import given
from hypothesis import strategies as st

from local.simulators.hyperliquid.nonces import KEPT, Nonces
from local.simulators.server import Request
from tests.venues.hyperliquid_trader import BTC, NOW_MS, Place, Trader, cloid, order, signing

NOOP = {"type": "noop"}
OK = {"status": "ok", "response": {"type": "default"}}
DAY_MS = 24 * 60 * 60 * 1000
HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0


@pytest.fixture
def place() -> Place:
    return Place()


@pytest.fixture
def trader(place: Place) -> Trader:
    return place.trader()


def refused(text: str) -> dict[str, str]:
    return {"status": "err", "response": text}


def test_a_noop_uses_its_nonce_up_and_the_order_of_that_nonce_never_executes(
    trader: Trader,
) -> None:
    late = trader.signed(signing.order_wires_to_order_action([order("0.1")]), NOW_MS)
    assert trader.send(NOOP, nonce=NOW_MS) == OK

    answer = json.loads(trader.place.post("/exchange", late).body)

    assert answer == refused(f"Invalid nonce: duplicate nonce {NOW_MS}")
    assert trader.told()["fills"] == []


def test_the_same_bytes_execute_once_however_often_they_come(trader: Trader) -> None:
    body = trader.signed(signing.order_wires_to_order_action([order("0.1", cloid=cloid(1))]))

    replies = [json.loads(trader.place.post("/exchange", body).body) for _ in range(3)]

    assert [reply["status"] for reply in replies] == ["ok", "err", "err"]
    assert len({fill["oid"] for fill in trader.told()["fills"]}) == 1


def test_a_duplicate_client_id_protects_nobody(trader: Trader) -> None:
    for _ in range(2):
        assert "filled" in trader.order("0.1", cloid=cloid(1))

    assert len(trader.told()["orders"]) == 2


def test_what_was_admitted_and_refused_has_used_its_nonce_and_what_was_malformed_has_not(
    trader: Trader,
) -> None:
    assert "error" in trader.order("0.1", "59990", nonce=NOW_MS)
    assert trader.send(NOOP, nonce=NOW_MS)["status"] == "err"

    assert "error" in trader.order("0.1", "60000.5", nonce=NOW_MS - 1)
    assert trader.send(NOOP, nonce=NOW_MS - 1) == OK


def test_an_expired_action_is_refused_and_has_used_its_nonce(trader: Trader) -> None:
    action = signing.order_wires_to_order_action([order("0.1")])

    late = trader.send(action, nonce=NOW_MS, expires=NOW_MS - 1)
    assert late == refused("Action already expired")
    told = f"Invalid nonce: duplicate nonce {NOW_MS}"
    assert trader.send(NOOP, nonce=NOW_MS) == refused(told)
    assert trader.told()["requestsUsed"] == 5
    assert trader.send(action, expires=NOW_MS)["status"] == "ok"


def test_nonces_lie_between_two_days_ago_and_tomorrow(trader: Trader) -> None:
    low, high = NOW_MS - 2 * DAY_MS, NOW_MS + DAY_MS

    too_low = trader.send(NOOP, nonce=low - 1)
    assert too_low == refused(f"Invalid nonce: nonce too low {low - 1} < {low}")
    too_high = trader.send(NOOP, nonce=high + 1)
    assert too_high == refused(f"Invalid nonce: nonce too high {high + 1} > {high}")
    assert trader.send(NOOP, nonce=low) == OK
    assert trader.send(NOOP, nonce=high) == OK


def test_a_nonce_is_at_least_the_lowest_of_the_highest_hundred(trader: Trader) -> None:
    for step in range(KEPT):
        assert trader.send(NOOP, nonce=NOW_MS + 2 * step) == OK

    below = trader.send(NOOP, nonce=NOW_MS - 1)

    assert below == refused(f"Invalid nonce: nonce too low {NOW_MS - 1} < {NOW_MS}")
    assert trader.send(NOOP, nonce=NOW_MS + 1) == OK
    seen = trader.send(NOOP, nonce=NOW_MS)
    assert seen == refused(f"Invalid nonce: duplicate nonce {NOW_MS}")


@given(st.lists(st.integers(NOW_MS - DAY_MS, NOW_MS + DAY_MS), max_size=300))
def test_no_nonce_is_ever_taken_twice_and_all_are_above_the_hundredth(asked: list[int]) -> None:
    nonces = Nonces()
    taken: list[int] = []
    for nonce in asked:
        if nonces.refusal("0x", nonce, NOW_MS) is None:
            assert len(taken) < KEPT or nonce > sorted(taken)[-KEPT]
            nonces.take("0x", nonce, NOW_MS)
            taken.append(nonce)

    assert len(taken) == len(set(taken))
    assert set(taken) <= set(asked)


def test_each_signer_has_nonces_of_its_own(trader: Trader) -> None:
    agent = trader.agent("desk")

    assert trader.send(NOOP, nonce=NOW_MS) == OK
    assert agent.send(NOOP, nonce=NOW_MS) == OK


def test_an_upper_half_signature_and_one_of_nothing_have_no_signer(trader: Trader) -> None:
    body = trader.signed(NOOP)
    whole = body["signature"]
    s = int(whole["s"], 16)
    assert s <= HALF_ORDER
    flipped = {"r": whole["r"], "s": hex(2 * HALF_ORDER + 1 - s), "v": 55 - whole["v"]}
    nothing = {"r": "0x0", "s": "0x0", "v": 27}
    for signature in (flipped, nothing, whole | {"v": 99}, whole | {"r": "-0x1"}):
        reply = trader.place.post("/exchange", {**body, "signature": signature})
        assert json.loads(reply.body) == refused("Unable to recover signer.")


@pytest.mark.parametrize(
    ("signed", "sent"),
    [
        ({"p": "63000"}, {"p": "63000.0"}),
        ({"s": "0.1"}, {"s": "0.1000"}),
        ({"c": cloid(171)}, {"c": cloid(171).upper().replace("0X", "0x")}),
        ({"c": cloid(171)}, {"c": cloid(171)[2:]}),
    ],
)
def test_the_form_that_is_hashed_is_the_venues_whatever_was_sent(
    trader: Trader, signed: dict[str, str], sent: dict[str, str]
) -> None:
    wire = order("0.1")
    action = signing.order_wires_to_order_action([{**wire, **signed}])
    body = trader.signed(action)
    body["action"] = {**action, "orders": [dict(reversed({**wire, **sent}.items()))]}

    assert json.loads(trader.place.post("/exchange", body).body)["status"] == "ok"

    wrong = signing.order_wires_to_order_action([{**wire, **sent}])
    answer = trader.send(wrong)
    assert answer["response"].startswith("User or API Wallet 0x")


def test_each_part_that_is_signed_counts(trader: Trader) -> None:
    body = trader.signed(NOOP, NOW_MS, None, NOW_MS + 1000)
    for change in (
        {"nonce": NOW_MS + 1},
        {"expiresAfter": NOW_MS + 1001},
        {"expiresAfter": None},
        {"vaultAddress": trader.address},
        {"action": {"type": "updateLeverage", "asset": 0, "isCross": True, "leverage": 3}},
    ):
        reply = trader.place.post("/exchange", {**body, **change})
        assert json.loads(reply.body)["response"].startswith("User or API Wallet 0x"), change


def test_a_stranger_is_named_in_the_refusal(place: Place) -> None:
    stranger = Trader(place, Account.create())

    told = f"User or API Wallet {stranger.address} does not exist."
    assert stranger.send(NOOP) == refused(told)


def test_vault_address_is_for_the_users_own_sub_accounts(place: Place, trader: Trader) -> None:
    sub = "0x" + "5a" * 20
    told = f"Vault not registered: {trader.address}"
    assert trader.send(NOOP, nonce=NOW_MS, vault=trader.address) == refused(told)
    place.tell("deposit", user=sub, usd="10000")
    place.tell("account", user=sub, master=trader.address)

    assert trader.send(NOOP, nonce=NOW_MS, vault=sub) == OK
    assert trader.place_all(order("0.1"), vault=sub)["status"] == "ok"
    assert place.ask("clearinghouseState", user=sub)["assetPositions"] != []
    assert trader.told()["positions"] == {}
    assert place.ask("userRole", user=sub)["role"] == "subAccount"
    other = place.trader()
    assert other.send(NOOP, vault=sub) == refused(f"Vault not registered: {sub}")


def test_an_agent_loses_its_right_when_its_name_is_given_to_another(trader: Trader) -> None:
    first, unnamed = trader.agent("desk"), trader.agent()
    assert first.send(NOOP) == unnamed.send(NOOP) == OK

    second = trader.agent("desk")

    told = f"User or API Wallet {first.address} does not exist."
    assert first.send(NOOP) == refused(told)
    assert second.send(NOOP) == unnamed.send(NOOP) == OK
    assert [agent["address"] for agent in trader.ask("extraAgents")] == [second.address]
    assert trader.approve(first.address, "desk") == refused("Extra agent already used.")
    assert trader.approve(first.address, "other") == refused("Extra agent already used.")


def test_there_are_one_unnamed_and_three_named_agents(trader: Trader) -> None:
    trader.agent()
    for name in ("a", "b", "c"):
        trader.agent(name)

    fourth = trader.approve(Account.create().address, "d")

    assert fourth == refused(
        "Too many extra agents for cumulative volume traded. Current limit is 3"
    )
    assert trader.approve(Account.create().address, "c") == OK


def test_an_agents_life_is_what_its_name_says_and_the_venue_ends_it_late(
    place: Place, trader: Trader
) -> None:
    until = NOW_MS + 60_000
    agent = trader.agent(f"desk valid_until {until}")
    assert trader.ask("extraAgents")[0] | {"address": ""} == {
        "name": "desk",
        "address": "",
        "validUntil": until,
    }
    place.tell("clock", advance=61)
    assert agent.send(NOOP) == OK
    place.tell("clock", advance=3600)
    assert agent.send(NOOP)["status"] == "err"
    assert trader.ask("extraAgents") == []
    for wrong in (NOW_MS, NOW_MS + 181 * DAY_MS):
        told = trader.approve(Account.create().address, f"x valid_until {wrong}")
        assert told == refused("Agent valid_until already expired.")


def test_an_agent_is_removed_by_the_zero_address_and_five_seconds_pass(
    place: Place, trader: Trader
) -> None:
    agent = trader.agent("desk")

    assert trader.approve("0x" + "00" * 20, "desk") == OK

    assert agent.send(NOOP)["status"] == "err"
    other = Account.create().address
    assert trader.approve(other, "desk") == refused("User has pending agent removal")
    place.time.pass_seconds(5)
    assert trader.approve(other, "desk") == OK


def test_what_is_used_up_of_an_accounts_actions_is_refused_and_cancels_have_more(
    place: Place, trader: Trader
) -> None:
    oid = trader.order("0.1", "50000", tif="Gtc")["resting"]["oid"]
    place.tell("account", user=trader.address, requestsUsed=10_000)

    assert trader.place_all(order("0.1")) == refused(
        "Too many cumulative requests sent (10001 > 10000) for cumulative volume traded $0."
        " Place taker orders to free up 1 request per USDC traded."
    )
    cancel = {"type": "cancel", "cancels": [{"a": BTC, "o": oid}]}
    assert trader.send(cancel)["response"]["data"]["statuses"] == ["success"]
    limit = trader.ask("userRateLimit")
    assert (limit["nRequestsUsed"], limit["nRequestsCap"]) == (10_001, 10_000)


NO_TARGET = b"Failed to deserialize the JSON body into the target type"
MALFORMED: list[tuple[Any, int, bytes]] = [
    (b"{", 400, b"Failed to parse the request body as JSON"),
    ([], 422, NO_TARGET),
    ({}, 422, NO_TARGET),
    ({"action": {"type": "transmute"}, "nonce": 1, "signature": {}}, 422, NO_TARGET),
    ({"action": NOOP, "nonce": -1, "signature": {"r": "", "s": "", "v": 1}}, 422, NO_TARGET),
]


@pytest.mark.parametrize(("body", "status", "text"), MALFORMED)
def test_what_cannot_be_read_is_refused_by_status(
    place: Place, body: Any, status: int, text: bytes
) -> None:
    reply = place.post("/exchange", body)

    assert (reply.status, reply.body) == (status, text)


@pytest.mark.parametrize(
    "change",
    [
        {"p": "6e4"},
        {"p": 60000},
        {"p": "-1"},
        {"s": "0.123456789"},
        {"s": ""},
        {"s": "NaN"},
        {"c": "0x12"},
        {"t": {"limit": {"tif": "Fok"}}},
        {"t": {}},
        {"b": "true"},
        {"a": "0"},
    ],
)
def test_an_order_that_is_none_is_refused_by_status(trader: Trader, change: Any) -> None:
    body = trader.signed(signing.order_wires_to_order_action([order("0.1")]))
    body["action"]["orders"][0].update(change)

    assert trader.place.post("/exchange", body).status == 422


def test_any_other_content_type_and_path_are_refused(place: Place) -> None:
    plain = place.simulator.answer(Request("POST", "/info", {}, b"{}", "text/plain"))
    assert (plain.status, plain.body) == (
        415,
        b"Expected request with `Content-Type: application/json`",
    )
    assert place.simulator.answer(Request("GET", "/info", {}, b"")).status == 404
    assert place.post("/ws", {}).status == 404


@given(st.binary(max_size=40) | st.text(max_size=40).map(lambda text: text.encode()))
def test_no_signature_makes_the_simulator_fail(garbage: bytes) -> None:
    place = Place()
    parts = {"r": garbage.hex() or "0x", "s": f"0x{garbage[:5].hex()}", "v": 27 + len(garbage) % 2}
    body: dict[str, Any] = {"action": NOOP, "nonce": NOW_MS, "signature": parts}

    reply = place.post("/exchange", body)

    assert reply.status == 200
    assert json.loads(reply.body)["status"] == "err"
