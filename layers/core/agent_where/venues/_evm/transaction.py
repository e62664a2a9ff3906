"""EIP-1559 transactions: signed to the bytes that go out, and read back from them.

The hash is known before anything is sent: it is of those bytes. Fees are in wei per gas.
"""

from typing import Final, NamedTuple

import rlp

from agent_where.execution.signers import Signer
from agent_where.keccak import keccak256

_TYPE: Final = b"\x02"
_FIELDS: Final = 12
_V_OF_PARITY_0: Final = 27


class Fees(NamedTuple):
    """The most that a unit of gas may cost, and the part of it that goes to the block's maker."""

    most: int
    tip: int


class Transaction(NamedTuple):
    """A call, and what it may use. `to` is an address in lower case; no access list."""

    chain_id: int
    nonce: int
    fees: Fees
    gas: int
    to: str
    data: bytes = b""
    value: int = 0


def signed(transaction: Transaction, signer: Signer) -> bytes:
    """The raw bytes, signed. Raises SignerUnavailable."""
    fields = _unsigned(transaction)
    signature = signer.sign_digest(keccak256(_TYPE + rlp.encode(fields)))
    parity = signature.v - _V_OF_PARITY_0
    whole = [*fields, _number(parity), _number(signature.r), _number(signature.s)]
    raw: bytes = _TYPE + rlp.encode(whole)
    return raw


def hash_of(raw: bytes) -> str:
    """What the chain calls the transaction."""
    return "0x" + keccak256(raw).hex()


def parsed(raw: bytes) -> Transaction:
    """What raw bytes of ours say, the signature aside.

    Raises:
        ValueError: they are no such transaction.
    """
    if raw[:1] != _TYPE:
        raise ValueError("no EIP-1559 transaction")
    try:
        fields = rlp.decode(raw[1:])
    except rlp.exceptions.DecodingError as fault:
        raise ValueError(str(fault)) from fault
    if not isinstance(fields, list) or len(fields) != _FIELDS:
        raise ValueError("no EIP-1559 transaction")
    chain_id, nonce, tip, most, gas, to, value, data, *_ = fields
    return Transaction(
        chain_id=int.from_bytes(chain_id, "big"),
        nonce=int.from_bytes(nonce, "big"),
        fees=Fees(most=int.from_bytes(most, "big"), tip=int.from_bytes(tip, "big")),
        gas=int.from_bytes(gas, "big"),
        to="0x" + bytes(to).hex(),
        data=bytes(data),
        value=int.from_bytes(value, "big"),
    )


def _unsigned(transaction: Transaction) -> list[bytes | list[bytes]]:
    return [
        _number(transaction.chain_id),
        _number(transaction.nonce),
        _number(transaction.fees.tip),
        _number(transaction.fees.most),
        _number(transaction.gas),
        bytes.fromhex(transaction.to[2:]),
        _number(transaction.value),
        transaction.data,
        [],
    ]


def _number(value: int) -> bytes:
    """Without leading zeros, and zero as nothing."""
    return value.to_bytes((value.bit_length() + 7) // 8, "big")
