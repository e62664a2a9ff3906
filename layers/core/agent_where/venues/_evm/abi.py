"""Functions, events and errors of contracts, by their signatures: to calldata and back.

Values are what eth-abi takes and gives: int, bool, bytes, addresses as text, tuples. No units here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError, EncodingError

from agent_where.keccak import keccak256

SELECTOR_BYTES: Final = 4
_WORD: Final = 32

Value = Any  # whatever a contract's type holds: the caller knows it by the signature


def _hash(name: str, types: Sequence[str]) -> bytes:
    return keccak256(f"{name}({','.join(types)})".encode())


class Undecodable(Exception):
    """Bytes that are not what the signature says."""


@dataclass(frozen=True, slots=True)
class Function:
    """A function, by the types of what it takes and returns, in the ABI's form."""

    name: str
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    selector: bytes = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "selector", _hash(self.name, self.inputs)[:SELECTOR_BYTES])

    def call(self, *values: Value) -> bytes:
        """The calldata.

        Raises:
            ValueError: a value does not fit its type.
        """
        try:
            return self.selector + encode(self.inputs, values)
        except EncodingError as fault:
            raise ValueError(f"{self.name}: {fault}") from fault

    def arguments(self, calldata: bytes) -> tuple[Value, ...]:
        """What a call was made with. Raises Undecodable, also for another function's call."""
        if calldata[:SELECTOR_BYTES] != self.selector:
            raise Undecodable(f"a call of 0x{calldata[:SELECTOR_BYTES].hex()}, not {self.name}")
        return decoded(self.inputs, calldata[SELECTOR_BYTES:])

    def returned(self, data: bytes) -> tuple[Value, ...]:
        """What it answered. Raises Undecodable."""
        return decoded(self.outputs, data)


@dataclass(frozen=True, slots=True)
class Event:
    """An event whose indexed fields come before all others, as names and types."""

    name: str
    indexed: Mapping[str, str]
    data: Mapping[str, str] = field(default_factory=dict)
    topic: str = field(init=False)

    def __post_init__(self) -> None:
        types = (*self.indexed.values(), *self.data.values())
        object.__setattr__(self, "topic", "0x" + _hash(self.name, types).hex())

    def fields(self, topics: Sequence[str], data: bytes) -> dict[str, Value]:
        """A log's fields by name. Raises Undecodable."""
        if len(topics) != 1 + len(self.indexed):
            raise Undecodable(f"{self.name} with {len(topics)} topics")
        words = b"".join(bytes.fromhex(topic[2:]) for topic in topics[1:])
        told = decoded(tuple(self.indexed.values()), words)
        told += decoded(tuple(self.data.values()), data)
        return dict(zip((*self.indexed, *self.data), told, strict=True))


@dataclass(frozen=True, slots=True)
class Fault:
    """A custom error that a contract reverts with."""

    name: str
    inputs: tuple[str, ...] = ()
    selector: bytes = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "selector", _hash(self.name, self.inputs)[:SELECTOR_BYTES])


REVERT: Final = Fault("Error", ("string",))
"""The error of a contract that reverts with words."""
PANIC: Final = Fault("Panic", ("uint256",))
"""What the language itself reverts with."""


def decoded(types: Sequence[str], data: bytes) -> tuple[Value, ...]:
    """The values of these types. Raises Undecodable."""
    try:
        return decode(types, data, strict=False)
    except (DecodingError, OverflowError, UnicodeDecodeError) as fault:
        raise Undecodable(str(fault)) from fault


def topic_of(number: int) -> str:
    """An indexed number as logs are filtered by it."""
    return "0x" + number.to_bytes(_WORD, "big").hex()


def address_topic(address: str) -> str:
    """An indexed address as logs are filtered by it."""
    return "0x" + bytes.fromhex(address[2:]).rjust(_WORD, b"\0").hex()


def name_word(text: str) -> bytes:
    """A short name as a 32 byte word, filled up to the right."""
    return text.encode("ascii").ljust(_WORD, b"\0")
