"""Signatures and bodies, against what the venue's own client makes of the same."""

import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from agent_where.execution.signers import Signature, Signer, Signers, recover_address
from agent_where.venues.hyperliquid import wire
from agent_where.venues.hyperliquid.approval import (
    AgentApproval,
    approval_body,
    approval_digest,
    typed_data,
)
from agent_where.venues.hyperliquid.signing import (
    Network,
    Request,
    body,
    connection_id,
    request_digest,
    signed_body,
)
from agent_where.venues.hyperliquid.wire import Exit, OrderTerms, TimeInForce, Trigger, WireAction
from tests.venues.orders import CLIENT_ID, as_request, asset_ids, orders
from tests.venues.sdk import COIN, KEY, Sdk, accounts, pure_python, recovered, signing, types

SUB_ACCOUNT = "0x1719884eb866cb12b2287399b15f7db5e7d775ea"
NONCE = 1_769_860_800_123
NETWORKS: tuple[Network, ...] = ("mainnet", "testnet")
SIGNER: Signer = Signers(allow_env=True, environment={"KEY": KEY}).signer("env:KEY")

networks = st.sampled_from(NETWORKS)
vaults = st.one_of(st.none(), st.integers(0, 2**160 - 1).map(lambda number: f"0x{number:040x}"))
nonces = st.integers(0, 2**53 - 1)
expiries = st.one_of(st.none(), st.integers(0, 2**53))


@dataclass(frozen=True)
class Case:
    """One action: ours, and the call of the client that makes the same."""

    name: str
    ours: WireAction
    theirs: Callable[[Any], object]
    asset: int = 0

    def __str__(self) -> str:
        return self.name


def terms(**changes: Any) -> OrderTerms:
    healthy = {"asset": 0, "is_buy": True, "limit_price": "97123", "size": "0.00123"}
    return OrderTerms.model_validate({**healthy, "client_id": CLIENT_ID, **changes})


def placed(name: str, **changes: Any) -> Case:
    order = terms(**changes)
    return Case(name, wire.order(order), place(order), order.asset)


def place(order: OrderTerms) -> Callable[[Any], object]:
    told = as_request(order)
    return lambda client: client.order(
        COIN,
        told["is_buy"],
        told["sz"],
        told["limit_px"],
        told["order_type"],
        told["reduce_only"],
        told["cloid"],
    )


def trigger(leg: Exit) -> Trigger:
    return Trigger.model_validate({"price": "90000.5", "exit": leg})


CASES = (
    placed("immediate buy"),
    placed("immediate sell", is_buy=False),
    placed("resting", kind=TimeInForce.GTC),
    placed("reduce only", is_buy=False, reduce_only=True),
    placed("no client id", client_id=None),
    placed("another dex", asset=110_003, limit_price="4970.5"),
    placed("take profit", is_buy=False, reduce_only=True, kind=trigger(Exit.TAKE_PROFIT)),
    placed("stop loss", is_buy=False, reduce_only=True, kind=trigger(Exit.STOP_LOSS)),
    Case("cancel", wire.cancel(0, 296683658818), lambda client: client.cancel(COIN, 296683658818)),
    Case(
        "cancel by client id",
        wire.cancel_by_client_id(0, CLIENT_ID),
        lambda client: client.cancel_by_cloid(COIN, types.Cloid.from_str(CLIENT_ID)),
    ),
    Case(
        "cross leverage",
        wire.update_leverage(0, 40, is_cross=True),
        lambda client: client.update_leverage(40, COIN),
    ),
    Case(
        "isolated leverage",
        wire.update_leverage(110_003, 3, is_cross=False),
        lambda client: client.update_leverage(3, COIN, is_cross=False),
        110_003,
    ),
    Case("noop", wire.noop(), lambda client: client.noop(NONCE)),
)


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("expires_after", [None, NONCE + 8_000])
@pytest.mark.parametrize("vault", [None, SUB_ACCOUNT])
@pytest.mark.parametrize("network", NETWORKS)
def test_a_body_is_byte_for_byte_the_clients(
    network: Network, vault: str | None, expires_after: int | None, case: Case
) -> None:
    sdk = Sdk(network=network, vault=vault, expires_after=expires_after)

    ours = signed_body(Request(case.ours, NONCE, expires_after, vault), network, SIGNER)

    assert ours == sdk.body(case.asset, NONCE, case.theirs)
    assert recovered(ours, network) == SIGNER.address == sdk.wallet.address.lower()


@settings(max_examples=200, deadline=None)
@given(network=networks, vault=vaults, expires_after=expiries, nonce=nonces, order=orders)
def test_any_order_is_byte_for_byte_the_clients(
    network: Network, vault: str | None, expires_after: int | None, nonce: int, order: OrderTerms
) -> None:
    sdk = Sdk(network=network, vault=vault, expires_after=expires_after)

    ours = signed_body(Request(wire.order(order), nonce, expires_after, vault), network, SIGNER)

    assert ours == sdk.body(order.asset, nonce, place(order))
    assert recovered(ours, network) == SIGNER.address


@settings(deadline=None)
@given(
    vault=vaults,
    expires_after=expiries,
    nonce=nonces,
    asset=asset_ids,
    leverage=st.integers(1, 50),
    is_cross=st.booleans(),
)
def test_any_leverage_hashes_as_the_clients(
    vault: str | None,
    expires_after: int | None,
    nonce: int,
    asset: int,
    leverage: int,
    is_cross: bool,
) -> None:
    action = wire.update_leverage(asset, leverage, is_cross=is_cross)

    ours = connection_id(Request(action, nonce, expires_after, vault))

    assert ours == signing.action_hash(dict(action), vault, nonce, expires_after)


def test_the_clients_published_example_has_its_published_hash() -> None:
    """The one that the client's own tests pin: ETH is asset 4 there, the time is the nonce."""
    order = OrderTerms.model_validate(
        {"asset": 4, "is_buy": True, "limit_price": "1670.1", "size": "0.0147"}
    )
    request = Request(wire.order(order), 1677777606040)

    assert connection_id(request).hex() == (
        "0fcbeda5ae3c4950a548021552a4fea2226858c4453571bf3f24ba017eac2908"
    )


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_is_signed_hangs_on_everything_that_is_sent(case: Case) -> None:
    request = Request(case.ours, NONCE, NONCE + 8_000, SUB_ACCOUNT)
    others = [
        Request(case.ours, NONCE + 1, NONCE + 8_000, SUB_ACCOUNT),
        Request(case.ours, NONCE, NONCE + 8_001, SUB_ACCOUNT),
        Request(case.ours, NONCE, None, SUB_ACCOUNT),
        Request(case.ours, NONCE, NONCE + 8_000),
        Request(wire.cancel(7, 7), NONCE, NONCE + 8_000, SUB_ACCOUNT),
    ]

    digests = {
        request_digest(each, network)
        for each, network in itertools.product([request, *others], NETWORKS)
    }

    assert len(digests) == 12


def test_the_same_request_is_the_same_bytes_again() -> None:
    request = Request(CASES[0].ours, NONCE, NONCE + 8_000)

    assert signed_body(request, "mainnet", SIGNER) == signed_body(request, "mainnet", SIGNER)


@pytest.mark.parametrize("vault", [SUB_ACCOUNT[2:], SUB_ACCOUNT.upper(), "0x", f"{SUB_ACCOUNT}0"])
def test_a_sub_account_in_another_spelling_is_refused(vault: str) -> None:
    with pytest.raises(ValueError, match="lower case"):
        Request(wire.noop(), NONCE, vault=vault)


@pytest.mark.parametrize("nonce", [-1, 2**64])
def test_a_nonce_that_has_no_room_is_refused(nonce: int) -> None:
    with pytest.raises(OverflowError):
        connection_id(Request(wire.noop(), nonce))


def approval(**changes: Any) -> AgentApproval:
    healthy = {
        "agent_address": SUB_ACCOUNT,
        "agent_name": "agent-where",
        "nonce": NONCE,
        "network": "mainnet",
        "chain_id": 0x66EEE,
    }
    return AgentApproval.model_validate(healthy | changes)


@settings(deadline=None)
@given(
    network=networks,
    nonce=nonces,
    agent=st.integers(0, 2**160 - 1).map(lambda number: f"0x{number:040x}"),
    name=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,15}", fullmatch=True),
    valid_until=st.one_of(st.none(), st.integers(1, 2**53)),
)
def test_an_approval_is_what_the_client_signs(
    network: Network, nonce: int, agent: str, name: str, valid_until: int | None
) -> None:
    wanted = approval(
        network=network, nonce=nonce, agent_address=agent, agent_name=name, valid_until=valid_until
    )
    told_name = name if valid_until is None else f"{name} valid_until {valid_until}"
    action = {
        "type": "approveAgent",
        "agentAddress": agent,
        "agentName": told_name,
        "nonce": nonce,
    }
    with pure_python():
        theirs = signing.sign_agent(accounts.from_key(KEY), action, network == "mainnet")

    signature = SIGNER.sign_digest(approval_digest(wanted))

    sent = json.loads(approval_body(wanted, signature))
    assert sent["signature"] == theirs
    assert sent["action"] == action
    assert list(sent["action"]) == list(action)
    assert sent["nonce"] == nonce
    assert (sent["vaultAddress"], sent["expiresAfter"]) == (None, None)


@pytest.mark.parametrize("chain_id", [1, 42161, 421614])
@pytest.mark.parametrize("network", NETWORKS)
def test_what_a_wallet_is_given_is_what_it_signs(network: Network, chain_id: int) -> None:
    """eth-account stands for the user's wallet: it gets JSON, and nothing else of ours."""
    from eth_account.messages import encode_typed_data  # noqa: PLC0415 slow, and only here

    wanted = approval(network=network, chain_id=chain_id)
    given_to_wallet = json.loads(json.dumps(typed_data(wanted)))

    with pure_python():
        wallet = accounts.from_key(KEY)
        signed = wallet.sign_message(encode_typed_data(full_message=given_to_wallet))

    signature = Signature(signed.r, signed.s, signed.v)
    assert recover_address(approval_digest(wanted), signature) == wallet.address.lower()
    assert json.loads(approval_body(wanted, signature))["action"]["signatureChainId"] == hex(
        chain_id
    )


def test_an_approval_for_one_network_is_none_for_the_other() -> None:
    assert approval_digest(approval()) != approval_digest(approval(network="testnet"))


@pytest.mark.parametrize(
    "changes",
    [
        {"agent_name": "seventeen-letters"},
        {"agent_name": "a valid_until 1"},
        {"agent_name": ""},
        {"agent_address": "0x1719884EB866CB12B2287399B15F7DB5E7D775EA"},
        {"chain_id": 0},
        {"network": "Mainnet"},
    ],
)
def test_an_approval_that_the_venue_would_read_as_another_cannot_be_made(
    changes: dict[str, object],
) -> None:
    with pytest.raises(ValidationError):
        approval(**changes)


def test_a_body_holds_no_more_than_what_was_signed() -> None:
    signature = Signature(1, 2, 27)

    told = json.loads(body(Request(wire.noop(), NONCE), signature))

    assert told == {
        "action": {"type": "noop"},
        "nonce": NONCE,
        "signature": {"r": "0x1", "s": "0x2", "v": 27},
        "vaultAddress": None,
        "expiresAfter": None,
    }
