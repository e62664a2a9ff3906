"""What a node's answers mean: to questions, in batches or not, and to broadcasts."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_where.errors import OutcomeUnknown, VenueUnavailable
from agent_where.venues._evm.chain import Chain, Reverted
from agent_where.venues._evm.limits import CODE, COOL_DOWN_SECONDS
from agent_where.venues._evm.logs import Filter, Logs
from agent_where.venues._evm.rpc import BROADCAST, UNKNOWN, Question, Refused
from agent_where.venues._evm.transaction import Fees, Transaction
from agent_where.venues._http import BadAnswer, HttpFault, NoAnswer, NotSent
from tests.venues.evm_node import VENUE, Clock, Node, Reply, echo, rpc

SIGNER = "0x" + "b2" * 20
QUESTIONS = [Question(f"method_{number}", [number]) for number in range(4)]


def refusing(code: int, message: str, **more: Any) -> Reply:
    return lambda _: {"error": {"code": code, "message": message, **more}}


def status(code: int) -> BadAnswer:
    return BadAnswer(f"node.invalid: status {code}", status=code, body=b"")


def test_answers_come_in_the_order_of_the_questions_whatever_the_nodes() -> None:
    node = Node()

    assert rpc(node).ask(*QUESTIONS) == [each.method for each in QUESTIONS]
    assert len(node.asked) == 1


def test_a_node_without_batches_is_asked_one_by_one_from_then_on() -> None:
    node = Node(batches=False)
    asks = rpc(node)

    for _ in range(2):
        assert asks.ask(*QUESTIONS) == [each.method for each in QUESTIONS]
    assert len(node.asked) == 1 + 2 * len(QUESTIONS)


def test_one_refusal_of_a_batch_is_told_beside_the_other_answers() -> None:
    def reply(row: dict[str, Any]) -> dict[str, Any]:
        refused = {"error": {"code": 3, "message": "execution reverted", "data": "0xabcd"}}
        return refused if row["id"] == 1 else echo(row)

    first, second, *_ = rpc(Node(reply)).ask(*QUESTIONS)

    assert first == "method_0"
    assert second == Refused(3, "execution reverted", b"\xab\xcd")
    assert isinstance(second, Refused)
    assert second.is_revert


@pytest.mark.parametrize("fault", [NotSent("n"), NoAnswer("n"), status(502)])
def test_a_question_is_asked_twice_and_not_three_times(fault: HttpFault) -> None:
    node = Node()
    node.faults = [fault]
    assert rpc(node).one("eth_chainId") == "eth_chainId"

    node.faults = [fault, fault]
    with pytest.raises(VenueUnavailable):
        rpc(node).one("eth_chainId")
    assert len(node.asked) == 4


@pytest.mark.parametrize("mode", ["status", "code"])
def test_who_is_told_to_slow_down_asks_and_sends_nothing_for_a_while(mode: str) -> None:
    node, clock = Node(), Clock()
    asks = rpc(node, clock)
    if mode == "status":
        node.faults = [status(429)]
    else:
        node.reply = refusing(-32005, "limit exceeded")

    with pytest.raises(VenueUnavailable):
        asks.one("eth_chainId")
    with pytest.raises(VenueUnavailable) as told:
        asks.one("eth_chainId")
    with pytest.raises(VenueUnavailable) as told_to_sender:
        asks.broadcast(b"raw")
    assert told.value.code == told_to_sender.value.code == CODE
    assert len(node.asked) == 1

    clock.seconds += COOL_DOWN_SECONDS
    node.reply = echo
    assert asks.one("eth_chainId") == "eth_chainId"


@pytest.mark.parametrize(
    "answer",
    [{}, {"result": 1, "id": 7}, {"error": "words"}, {"error": {"code": "3", "message": "m"}}],
)
def test_what_is_neither_result_nor_error_is_unavailable(answer: dict[str, Any]) -> None:
    with pytest.raises(VenueUnavailable, match="unforeseen"):
        rpc(Node(lambda _: answer)).one("eth_chainId")


@pytest.mark.parametrize(
    "reply",
    [
        refusing(-32000, "already known"),
        refusing(-32000, "nonce too low: next nonce 8, tx nonce 7"),
        refusing(-32000, "nonce too high"),
        refusing(-32000, "insufficient funds for gas * price + value"),
        refusing(-32603, "internal error"),
        refusing(3, "execution reverted"),
    ],
)
def test_no_word_to_a_broadcast_is_an_outcome(reply: Reply) -> None:
    with pytest.raises(OutcomeUnknown) as told:
        rpc(Node(reply)).broadcast(b"raw")

    assert told.value.code == UNKNOWN


def test_a_broadcast_that_was_taken_is_no_outcome_either() -> None:
    node = Node()

    with pytest.raises(OutcomeUnknown) as told:
        rpc(node).broadcast(b"\x02raw")

    assert told.value.code == BROADCAST
    assert node.asked[0]["params"] == ["0x" + b"\x02raw".hex()]


@pytest.mark.parametrize(
    ("fault", "code"), [(NoAnswer("n"), UNKNOWN), (status(500), UNKNOWN), (status(429), CODE)]
)
def test_a_broadcast_without_an_answer_goes_out_once(fault: HttpFault, code: str) -> None:
    node = Node()
    node.faults = [fault]

    with pytest.raises(OutcomeUnknown) as told:
        rpc(node).broadcast(b"raw")

    assert told.value.code == code
    assert len(node.asked) == 1


def test_only_what_never_left_is_unavailable() -> None:
    node = Node()
    node.faults = [NotSent("n")]

    with pytest.raises(VenueUnavailable):
        rpc(node).broadcast(b"raw")
    assert len(node.asked) == 1


def chain(reply: Reply, *, max_fee_wei: int = 10**9) -> Chain:
    return Chain(VENUE, rpc(Node(reply)), 42_161, max_fee_wei=max_fee_wei)


@pytest.mark.parametrize(
    "refusal",
    [
        {"code": 3, "message": "execution reverted", "data": "0x1309a563"},
        {"code": -32000, "message": "execution reverted", "data": "0x1309a563"},
        {"code": -32015, "message": "VM execution error", "data": {"data": "0x1309a563"}},
    ],
)
def test_a_revert_is_told_apart_from_a_node_that_fails(refusal: dict[str, Any]) -> None:
    reverted = chain(lambda _: {"error": refusal}).simulate(SIGNER, SIGNER, b"call")

    assert reverted == Reverted(bytes.fromhex("1309a563"), refusal["message"])
    with pytest.raises(VenueUnavailable):
        chain(refusing(-32000, "header not found")).simulate(SIGNER, SIGNER, b"call")


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=5))
def test_whatever_a_node_answers_is_read_or_unavailable(answer: object) -> None:
    asked = chain(lambda _: {"result": answer})
    reads: Sequence[Callable[[], object]] = (
        asked.head,
        lambda: asked.balance(SIGNER),
        lambda: asked.trace(SIGNER, ["0x" + "0" * 64]),
        lambda: asked.block("latest"),
        lambda: asked.simulate(SIGNER, SIGNER, b""),
    )
    for read in reads:
        try:
            read()
        except VenueUnavailable:
            continue


def block(base_fee: int) -> Reply:
    told = {"number": "0x10", "timestamp": "0x65", "baseFeePerGas": hex(base_fee)}
    return lambda row: {"result": told if row["method"] == "eth_getBlockByNumber" else "0x5208"}


@given(st.integers(0, 10**12), st.integers(1, 10**12))
def test_fees_are_twice_the_base_and_never_over_the_cap(base_fee: int, cap: int) -> None:
    asked = chain(block(base_fee), max_fee_wei=cap)
    if base_fee > cap:
        with pytest.raises(VenueUnavailable):
            asked.fees(asked.block("latest"))
        return
    fees = asked.fees(asked.block("latest"))

    assert base_fee <= fees.most <= cap
    assert fees.most == min(cap, 2 * base_fee)
    assert fees.tip == 0


@given(st.integers(0, 10**11), st.integers(0, 10**11), st.integers(0, 10**9))
def test_a_replacement_pays_a_tenth_more_in_both_parts(base_fee: int, most: int, tip: int) -> None:
    stuck = Transaction(42_161, 7, Fees(most, tip), 10**6, SIGNER)

    fees, gas = chain(block(base_fee)).replacing(stuck, SIGNER)

    assert fees.most * 10 > most * 11 or fees.most > most
    assert fees.most >= most + most // 10
    assert fees.tip >= tip + tip // 10
    assert fees.tip <= fees.most
    assert gas >= 21_000


@given(
    first=st.integers(0, 500),
    length=st.integers(0, 400),
    setting=st.integers(16, 300),
    allowed=st.integers(16, 300),
)
def test_ranges_of_logs_leave_no_block_out_and_take_none_twice(
    first: int, length: int, setting: int, allowed: int
) -> None:
    seen: list[int] = []

    def reply(row: dict[str, Any]) -> dict[str, Any]:
        (wanted,) = row["params"]
        start, end = int(wanted["fromBlock"], 16), int(wanted["toBlock"], 16)
        if end - start + 1 > allowed:
            return {"error": {"code": -32005, "message": "range"}}
        seen.extend(range(start, end + 1))
        return {"result": []}

    logs = Logs(VENUE, rpc(Node(reply)), most_blocks=setting)
    ends = [end for end, _ in logs.ranges(Filter((SIGNER,), (None,)), first, first + length)]

    assert seen == list(range(first, first + length + 1))
    assert ends == sorted(ends)
    assert ends[-1] == first + length


def test_a_node_that_refuses_even_a_few_blocks_is_unavailable() -> None:
    logs = Logs(VENUE, rpc(Node(refusing(-32000, "no archive"))), most_blocks=1000)

    with pytest.raises(VenueUnavailable, match="no archive"):
        list(logs.ranges(Filter((SIGNER,), (None,)), 0, 10_000))
