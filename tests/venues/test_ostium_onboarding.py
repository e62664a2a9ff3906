"""What a user signs: as a wallet would, and as the contracts take it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from eth_account import Account
from eth_account.messages import encode_typed_data
from hypothesis import given
from hypothesis import strategies as st

from agent_where.execution.signers import Signature
from agent_where.keccak import keccak256
from agent_where.venues.ostium.onboarding import (
    Delegating,
    Delegation,
    approval_request,
    delegation_digest,
    signed_delegation,
    typed_data,
)
from local.chain.venue import LocalVenue
from tests.venues.ostium_fixtures import chain, desk, place
from tests.venues.ostium_local import Desk, key

__all__ = ("chain", "desk", "place")

NOW = datetime(2026, 2, 6, tzinfo=UTC)
addresses = st.binary(min_size=20, max_size=20).map(lambda raw: "0x" + raw.hex())
numbers = st.integers(0, 2**53)
delegations = st.builds(
    Delegation,
    delegator=addresses,
    delegate=addresses,
    nonce=numbers,
    expiry=st.integers(1, 2**53),
)


def where(place: LocalVenue) -> Delegating:
    return Delegating(
        chain_id=place.chain_id,
        trading=place.trading.lower(),
        storage=place.trading_storage.lower(),
        usdc=place.usdc.lower(),
    )


@given(
    st.builds(
        Delegating,
        chain_id=st.integers(1, 2**32),
        trading=addresses,
        storage=addresses,
        usdc=addresses,
    ),
    delegations,
)
def test_the_digest_is_what_a_wallet_signs_for_the_typed_data(
    places: Delegating, delegation: Delegation
) -> None:
    told: Any = typed_data(places, delegation)
    signable = encode_typed_data(full_message=told)

    theirs = keccak256(b"\x19" + signable.version + signable.header + signable.body)

    assert delegation_digest(places, delegation) == theirs


def test_two_transactions_from_the_users_wallet_make_the_key_a_delegate(
    place: LocalVenue, desk: Desk
) -> None:
    fresh = Desk(place, desk.venue)
    request = approval_request(where(place), fresh.user, fresh.agent, NOW)
    assert fresh.venue.approval(fresh.user, fresh.agent) is None

    for wanted in request.transactions:
        assert wanted.chain_id == place.chain_id
        sent(fresh, fresh.user_key, wanted.to, bytes.fromhex(wanted.data[2:]))

    assert fresh.venue.approval(fresh.user, fresh.agent) is not None


def test_a_signature_brought_by_anybody_makes_the_key_a_delegate(
    place: LocalVenue, desk: Desk
) -> None:
    fresh = Desk(place, desk.venue)
    fresh.allow(100)
    request = approval_request(where(place), fresh.user, fresh.agent, fresh.now())
    told: Any = dict(request.typed_data)
    signature = Account.sign_message(encode_typed_data(full_message=told), fresh.user_key)
    delegation = Delegation.model_validate(told["message"])

    call = signed_delegation(delegation, Signature(signature.r, signature.s, signature.v))
    sent(fresh, key(), request.post_to, call)

    assert fresh.venue.approval(fresh.user, fresh.agent) is not None


def test_a_request_says_what_it_is_for_and_until_when_its_signature_counts() -> None:
    places = Delegating(
        chain_id=42_161, trading="0x" + "a1" * 20, storage="0x" + "a3" * 20, usdc="0x" + "a5" * 20
    )

    request = approval_request(places, "0x" + "C1" * 20, "0x" + "B2" * 20, NOW, nonce=2)

    assert request.valid_until == NOW + timedelta(days=7)
    assert request.action == {
        "function": "setDelegateWithSignature",
        "delegator": "0x" + "c1" * 20,
        "delegate": "0x" + "b2" * 20,
        "nonce": 2,
        "expiry": int(request.valid_until.timestamp()),
    }
    approve, delegate = request.transactions
    assert (approve.to, delegate.to) == (places.usdc, places.trading)
    assert approve.data.startswith("0x095ea7b3")
    assert delegate.data == "0xca5eb5e1" + "0" * 24 + "b2" * 20


def sent(desk: Desk, wallet: str, to: str, data: bytes) -> None:
    """From a wallet that has ether."""
    address = Account.from_key(wallet).address
    desk.place.fund(address, eth=1)
    node = desk.place.node
    signed = Account.sign_transaction(
        {
            "type": 2,
            "chainId": desk.place.chain_id,
            "nonce": node.number("eth_getTransactionCount", address, "latest"),
            "maxFeePerGas": 10**9,
            "maxPriorityFeePerGas": 0,
            "gas": 500_000,
            "to": bytes.fromhex(to[2:]),
            "value": 0,
            "data": data,
        },
        wallet,
    )
    raw = bytes(signed.raw_transaction)
    receipt = node.receipt(node.ask("eth_sendRawTransaction", "0x" + raw.hex()))
    assert receipt["status"] == "0x1"
