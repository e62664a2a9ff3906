"""What is asked of a chain: views of contracts, simulations, receipts, counts of transactions.

All of it is reading: whatever goes wrong is VenueUnavailable. Logs are read in logs.py.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, TypeVar

from pydantic import JsonValue, TypeAdapter

from agent_where.domain import VenueId
from agent_where.errors import VenueUnavailable
from agent_where.venues._answers import malformed, shaped
from agent_where.venues._evm import shapes
from agent_where.venues._evm.abi import Function, Undecodable
from agent_where.venues._evm.rpc import Answer, Question, Refused, Rpc
from agent_where.venues._evm.shapes import Block, Receipt
from agent_where.venues._evm.transaction import Fees, Transaction

_Shape = TypeVar("_Shape")

BlockTag: TypeAlias = "int | str"
"""A block's number, or `latest`."""
LATEST: Final = "latest"
_HEAD_ALONE: Final = False
"""A block without its transactions."""

GAS_HEADROOM: Final = (3, 2)
"""What a transaction may use over its estimate: the part for layer 1 moves with its price."""
_REPLACING: Final = (9, 8)
"""By how much a replacement has to pay more; nodes want a tenth."""
_DATA_GAS_MARGIN: Final = 21_000


@dataclass(frozen=True, slots=True)
class View:
    """A question to a contract."""

    to: str
    function: Function
    arguments: tuple[Any, ...] = ()

    @property
    def data(self) -> bytes:
        return self.function.call(*self.arguments)


@dataclass(frozen=True, slots=True)
class Reverted:
    """What a simulated call failed with: the contract's bytes, or the node's words without any."""

    data: bytes
    words: str


@dataclass(frozen=True, slots=True)
class Trace:
    """How transactions of one signer stand. `count` is how many of its are in blocks."""

    head: int
    count: int
    receipts: Mapping[str, Receipt]


@dataclass(frozen=True, slots=True)
class Purse:
    """What a signer's next transaction is made of: its nonce, its ether in wei, what gas costs."""

    next_nonce: int
    wei: int
    head: Block


class Chain:
    """One chain, through one node.

    Args:
        chain_id: transactions are for no other.
        max_fee_wei: the most that a unit of gas may cost.
    """

    def __init__(self, venue: VenueId, rpc: Rpc, chain_id: int, *, max_fee_wei: int) -> None:
        self.chain_id = chain_id
        self.rpc = rpc
        self._venue = venue
        self._max_fee_wei = max_fee_wei

    def views(self, *views: View, block: BlockTag = LATEST) -> list[tuple[Any, ...]]:
        """What contracts answer, in one trip. Raises VenueUnavailable, also where one reverts."""
        questions = [_call(view.to, view.data, block) for view in views]
        answers = self.rpc.ask(*questions)
        return [self.returned(view, answer) for view, answer in zip(views, answers, strict=True)]

    def views_with_purse(self, signer: str, *views: View) -> tuple[Purse, list[tuple[Any, ...]]]:
        """The same, and what the signer's next transaction needs to know."""
        questions = [
            Question("eth_getTransactionCount", [signer, LATEST]),
            Question("eth_getBalance", [signer, LATEST]),
            Question("eth_getBlockByNumber", [LATEST, _HEAD_ALONE]),
            *(_call(view.to, view.data, LATEST) for view in views),
        ]
        count, wei, head, *answers = self.rpc.ask(*questions)
        purse = Purse(
            next_nonce=self._shaped(shapes.QUANTITY, count),
            wei=self._shaped(shapes.QUANTITY, wei),
            head=self._shaped(shapes.BLOCK, head),
        )
        told = zip(views, answers, strict=True)
        return purse, [self.returned(view, answer) for view, answer in told]

    def returned(self, view: View, answer: Answer) -> tuple[Any, ...]:
        """A view's answer, decoded. Raises VenueUnavailable."""
        data = self._shaped(shapes.DATA, answer)
        try:
            return view.function.returned(data)
        except Undecodable as fault:
            raise malformed(self._venue, f"{view.function.name}: {fault}") from fault

    def simulate(self, signer: str, to: str, data: bytes) -> int | Reverted:
        """The gas that a call may need if it were sent now, or why it would fail.

        Raises:
            VenueUnavailable: the node could not say.
        """
        call: dict[str, JsonValue] = {"from": signer, "to": to, "data": "0x" + data.hex()}
        ran, estimate = self.rpc.ask(
            Question("eth_call", [call, LATEST]), Question("eth_estimateGas", [call])
        )
        for answer in (ran, estimate):
            if isinstance(answer, Refused) and answer.is_revert:
                return Reverted(answer.data or b"", answer.message)
        self.rpc.given(ran)
        return _with_headroom(self._shaped(shapes.QUANTITY, estimate))

    def replay(self, signer: str, to: str, data: bytes, block: int) -> Reverted | None:
        """Why a call fails on top of a block. None: it does not, or the node cannot say."""
        call: dict[str, JsonValue] = {"from": signer, "to": to, "data": "0x" + data.hex()}
        (answer,) = self.rpc.ask(Question("eth_call", [call, _tag(block)]))
        if isinstance(answer, Refused) and answer.is_revert:
            return Reverted(answer.data or b"", answer.message)
        return None

    def past_views(self, block: int, *views: View) -> list[tuple[Any, ...]] | None:
        """What contracts answered at a block. None: the node keeps that state no more."""
        answers = self.rpc.ask(*(_call(view.to, view.data, block) for view in views))
        if any(isinstance(answer, Refused) for answer in answers):
            return None
        return [self.returned(view, answer) for view, answer in zip(views, answers, strict=True)]

    def trace(self, signer: str, hashes: Sequence[str], block: BlockTag = LATEST) -> Trace:
        """How many transactions of a signer there are up to a block, and the receipts of these."""
        head, count, *receipts = self.rpc.ask(
            Question("eth_blockNumber", []),
            Question("eth_getTransactionCount", [signer, _tag(block)]),
            *(Question("eth_getTransactionReceipt", [each]) for each in hashes),
        )
        found = {
            each: self._shaped(shapes.RECEIPT, answer)
            for each, answer in zip(hashes, receipts, strict=True)
        }
        return Trace(
            head=self._shaped(shapes.QUANTITY, head),
            count=self._shaped(shapes.QUANTITY, count),
            receipts={each: receipt for each, receipt in found.items() if receipt is not None},
        )

    def is_known(self, tx_hash: str) -> bool:
        """Whether the node has the transaction, in a block or waiting."""
        answer = self.rpc.one("eth_getTransactionByHash", tx_hash)
        return self._shaped(shapes.KNOWN, answer) is not None

    def mined(self, tx_hash: str, block: int) -> tuple[Receipt, Block]:
        """A transaction that is in a block, with the block's head."""
        receipt, head = self.rpc.ask(
            Question("eth_getTransactionReceipt", [tx_hash]),
            Question("eth_getBlockByNumber", [hex(block), _HEAD_ALONE]),
        )
        told = self._shaped(shapes.RECEIPT, receipt)
        if told is None or told.block != block:
            raise malformed(self._venue, f"the node has no {tx_hash} in block {block} any more")
        return told, self._shaped(shapes.BLOCK, head)

    def head(self) -> int:
        """The latest block's number."""
        return self._shaped(shapes.QUANTITY, self.rpc.one("eth_blockNumber"))

    def block(self, number: BlockTag) -> Block:
        """A block's head."""
        answer = self.rpc.one("eth_getBlockByNumber", _tag(number), _HEAD_ALONE)
        return self._shaped(shapes.BLOCK, answer)

    def balance(self, address: str) -> int:
        """An address's ether, in wei."""
        return self._shaped(shapes.QUANTITY, self.rpc.one("eth_getBalance", address, LATEST))

    def fees(self, head: Block) -> Fees:
        """What a transaction offers: twice the base fee, no tip, never over the cap.

        Raises:
            VenueUnavailable: gas costs more than the cap at this moment.
        """
        if head.base_fee > self._max_fee_wei:
            detail = f"gas costs {head.base_fee} wei, over the {self._max_fee_wei} of the setting"
            raise VenueUnavailable(self._venue, detail, code="GAS_TOO_DEAR")
        return Fees(most=min(2 * head.base_fee, self._max_fee_wei), tip=0)

    def replacing(self, stuck: Transaction, signer: str) -> tuple[Fees, int]:
        """What a cancelling transaction offers in place of another, and the gas it may use.

        It is over the cap where the other was at it: it needs little gas, and nodes want more.
        """
        head, estimate = self.rpc.ask(
            Question("eth_getBlockByNumber", [LATEST, _HEAD_ALONE]),
            Question("eth_estimateGas", [{"from": signer, "to": signer}]),
        )
        base_fee = self._shaped(shapes.BLOCK, head).base_fee
        more, less = _REPLACING
        tip = stuck.fees.tip * more // less + 1
        most = max(stuck.fees.most * more // less + 1, min(2 * base_fee, self._max_fee_wei) + tip)
        gas = _with_headroom(self._shaped(shapes.QUANTITY, estimate))
        return Fees(most=most, tip=tip), max(gas, _DATA_GAS_MARGIN)

    def _shaped(self, shape: TypeAdapter[_Shape], answer: Answer) -> _Shape:
        return shaped(self._venue, shape, self.rpc.given(answer))


def _call(to: str, data: bytes, block: BlockTag) -> Question:
    return Question("eth_call", [{"to": to, "data": "0x" + data.hex()}, _tag(block)])


def _tag(block: BlockTag) -> str:
    return block if isinstance(block, str) else hex(block)


def _with_headroom(gas: int) -> int:
    more, less = GAS_HEADROOM
    return gas * more // less
