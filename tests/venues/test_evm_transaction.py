"""Signed transactions are those that eth-account makes, and are read back as they were meant."""

from datetime import UTC, datetime, timedelta

import pytest
from eth_account import Account
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_where.errors import SignerUnavailable
from agent_where.execution.signers import Signers
from agent_where.venues._evm.sealing import Unsent
from agent_where.venues._evm.transaction import Fees, Transaction, hash_of, parsed, signed
from agent_where.venues.base import ActionKind, Stamp

KEY = f"0x{3:064x}"
ADDRESS = str(Account.from_key(KEY).address).lower()
SIGNER = Signers(allow_env=True, environment={"KEY": KEY}).signer("env:KEY")
NOW = datetime(2026, 2, 6, tzinfo=UTC)

transactions = st.builds(
    Transaction,
    chain_id=st.integers(1, 2**32),
    nonce=st.integers(0, 2**63),
    fees=st.builds(Fees, most=st.integers(0, 2**128), tip=st.integers(0, 2**128)),
    gas=st.integers(0, 2**63),
    to=st.binary(min_size=20, max_size=20).map(lambda raw: "0x" + raw.hex()),
    data=st.binary(max_size=300),
    value=st.integers(0, 2**128),
)


@settings(max_examples=200)
@given(transactions)
def test_raw_bytes_and_hash_are_eth_accounts(told: Transaction) -> None:
    raw = signed(told, SIGNER)

    theirs = Account.sign_transaction(
        {
            "type": 2,
            "chainId": told.chain_id,
            "nonce": told.nonce,
            "maxFeePerGas": told.fees.most,
            "maxPriorityFeePerGas": told.fees.tip,
            "gas": told.gas,
            "to": bytes.fromhex(told.to[2:]),
            "value": told.value,
            "data": told.data,
        },
        KEY,
    )
    assert raw == bytes(theirs.raw_transaction)
    assert hash_of(raw) == "0x" + bytes(theirs.hash).hex()
    assert parsed(raw) == told


@given(st.binary(max_size=200))
def test_whatever_bytes_are_read_or_refused(raw: bytes) -> None:
    for each in (raw, b"\x02" + raw):
        try:
            parsed(each)
        except ValueError:
            continue


@pytest.mark.parametrize("raw", [b"", b"\x01\xc0", b"\x02\xc0", b"\x02\x80", b"\x02\xf8"])
def test_what_is_no_such_transaction_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r"EIP-1559|RLP|string|prefix"):
        parsed(raw)


def unsent(**changes: object) -> Unsent:
    told: dict[str, object] = {
        "venue": "OSTIUM",
        "kind": ActionKind.ORDER,
        "chain_id": 42_161,
        "to": "0x" + "a1" * 20,
        "data": b"call",
        "gas": 500_000,
        "fees": Fees(20_000_000, 0),
        "signer_address": ADDRESS,
        "waits": timedelta(minutes=2),
        "sequence": 4,
    }
    return Unsent(**told | changes)  # type: ignore[arg-type]  # a test's words


def test_what_is_sealed_bears_its_nonce_its_hash_and_when_it_may_be_replaced() -> None:
    action = unsent().sealed(Stamp(signer=SIGNER, nonce=9, now=NOW))

    assert action.tx_hash == hash_of(action.payload)
    assert (action.nonce, action.signer_address) == (9, ADDRESS)
    assert action.expires_at == NOW + timedelta(minutes=2)
    assert parsed(action.payload).nonce == 9
    assert str(Account.recover_transaction(action.payload)).lower() == ADDRESS


def test_a_replacement_keeps_the_nonce_it_is_for() -> None:
    action = unsent(nonce=3, sequence=None).sealed(Stamp(signer=SIGNER, nonce=9, now=NOW))

    assert action.nonce == parsed(action.payload).nonce == 3


def test_another_key_than_the_one_it_was_simulated_for_does_not_sign() -> None:
    stranger = unsent(signer_address="0x" + "b2" * 20)

    with pytest.raises(SignerUnavailable):
        stranger.sealed(Stamp(signer=SIGNER, nonce=1, now=NOW))
