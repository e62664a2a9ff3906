"""What a wallet is asked to sign (EIP-712), as the digest that is signed.

Flat structures alone: strings, addresses, integers and 32 byte words; no arrays, nothing nested.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from agent_where.keccak import keccak256

NO_CONTRACT: Final = "0x0000000000000000000000000000000000000000"
DOMAIN_FIELDS: Final[Mapping[str, str]] = {
    "name": "string",
    "version": "string",
    "chainId": "uint256",
    "verifyingContract": "address",
}
_WORD: Final = 32
_PREFIX: Final = b"\x19\x01"

Value = str | int | bytes
"""What a field holds: text or an address, an integer, a 32 byte word."""


class Domain(NamedTuple):
    """For whom a signature is meant."""

    name: str
    version: str
    chain_id: int
    verifying_contract: str = NO_CONTRACT

    def values(self) -> dict[str, Value]:
        """The domain under the names of its fields."""
        return {
            "name": self.name,
            "version": self.version,
            "chainId": self.chain_id,
            "verifyingContract": self.verifying_contract,
        }


def digest(
    domain: Domain, name: str, fields: Mapping[str, str], values: Mapping[str, Value]
) -> bytes:
    """The 32 bytes that are signed.

    Args:
        name: the structure's type.
        fields: its fields' types, in their order.
        values: a value for each field.
    """
    separator = _hash("EIP712Domain", DOMAIN_FIELDS, domain.values())
    return keccak256(_PREFIX + separator + _hash(name, fields, values))


def _hash(name: str, fields: Mapping[str, str], values: Mapping[str, Value]) -> bytes:
    told = ",".join(f"{kind} {field}" for field, kind in fields.items())
    words = [keccak256(f"{name}({told})".encode())]
    words += [_word(kind, values[field]) for field, kind in fields.items()]
    return keccak256(b"".join(words))


def _word(kind: str, value: Value) -> bytes:
    match kind, value:
        case "string", str():
            return keccak256(value.encode())
        case "address", str():
            return bytes.fromhex(value.removeprefix("0x")).rjust(_WORD, b"\0")
        case "bytes32", bytes() if len(value) == _WORD:
            return value
        case "uint256" | "uint64", int():
            return value.to_bytes(_WORD, "big")
        case _:
            raise ValueError(f"no {kind}: {value!r}")
