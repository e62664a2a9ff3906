"""The shapes of a node's answers; only what is used of them. Quantities are hexadecimal text."""

from typing import Annotated, Final

from pydantic import BeforeValidator, Field, TypeAdapter

from agent_where.venues._answers import Part


def _quantity(told: object) -> int:
    if not isinstance(told, str) or not told.startswith("0x"):
        raise ValueError("no quantity in hexadecimal digits")
    return int(told, 16)


def _bytes(told: object) -> bytes:
    if not isinstance(told, str) or not told.startswith("0x"):
        raise ValueError("no bytes in hexadecimal digits")
    return bytes.fromhex(told[2:])


def _lower(told: object) -> object:
    return told.lower() if isinstance(told, str) else told


Quantity = Annotated[int, BeforeValidator(_quantity), Field(ge=0)]
Data = Annotated[bytes, BeforeValidator(_bytes)]
Address = Annotated[str, BeforeValidator(_lower), Field(pattern=r"^0x[0-9a-f]{40}$")]
Word = Annotated[str, BeforeValidator(_lower), Field(pattern=r"^0x[0-9a-f]{64}$")]


class Log(Part):
    """An event of a mined transaction."""

    address: Address
    topics: tuple[Word, ...]
    data: Data
    block: Quantity = Field(alias="blockNumber")
    index: Quantity = Field(alias="logIndex")
    tx_hash: Word = Field(alias="transactionHash")


class Receipt(Part):
    """What became of a mined transaction."""

    status: Quantity
    block: Quantity = Field(alias="blockNumber")
    tx_hash: Word = Field(alias="transactionHash")
    logs: tuple[Log, ...]

    @property
    def is_reverted(self) -> bool:
        return self.status != 1


class Block(Part):
    """A block's head. `base_fee` is in wei per gas, `seconds` since 1970."""

    number: Quantity
    seconds: Annotated[Quantity, Field(lt=2**36)] = Field(alias="timestamp")
    base_fee: Quantity = Field(default=0, alias="baseFeePerGas")


class Mined(Part):
    """A transaction that a node knows; where it is in a block."""

    block: Quantity | None = Field(default=None, alias="blockNumber")


QUANTITY: Final[TypeAdapter[int]] = TypeAdapter(Quantity)
DATA: Final[TypeAdapter[bytes]] = TypeAdapter(Data)
RECEIPT: Final[TypeAdapter[Receipt | None]] = TypeAdapter(Receipt | None)
BLOCK: Final[TypeAdapter[Block]] = TypeAdapter(Block)
KNOWN: Final[TypeAdapter[Mined | None]] = TypeAdapter(Mined | None)
LOGS: Final[TypeAdapter[list[Log]]] = TypeAdapter(list[Log])
