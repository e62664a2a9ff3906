"""However Hyperliquid misbehaves: one execution at most, an end with its proof, nothing unseen.

Each order is sent by one worker and settled by another that remembers nothing of it.
"""

import time
from collections.abc import Iterator
from decimal import Decimal

import pytest

from agent_where.domain import Order, OrderStatus, Purpose, Settled, Side
from agent_where.errors import OutcomeUnknown, VenueError, VenueRejected, VenueUnavailable
from agent_where.venues.base import Action, ActionKind
from agent_where.venues.hyperliquid.refusals import Meaning
from agent_where.venues.hyperliquid.trading import HyperliquidVenue
from tests.patience import PATIENCE_SECONDS
from tests.venues.hyperliquid_desk import NOW, USER, Desk, desk, order
from tests.venues.server import Behaviour, Misbehaving, says, says_and_hangs_up

BEFORE_AND_AFTER = ["500", "502", "503", "429", "drop", "hang", "garbage"]
AFTER = ["cut", "truncated"]
LOST = [(mode, False) for mode in BEFORE_AND_AFTER] + [
    (mode, True) for mode in BEFORE_AND_AFTER + AFTER
]
QUESTIONS = ["orderStatus", "clearinghouseState", "userFills", "userFillsByTime"]
SIZE = Decimal("0.01")


@pytest.fixture
def bench() -> Iterator[Desk]:
    with desk() as made:
        yield made


def fail(bench: Desk, mode: str, kind: str, *, processed: bool, times: int = 1) -> None:
    bench.tell("fail", mode=mode, type=kind, processed=processed, times=times)


def sent(bench: Desk, what: Order, mode: str, *, processed: bool) -> None:
    """Send an order whose answer is spoilt; another worker has it then."""
    action = bench.prepared(what)
    fail(bench, mode, "order", processed=processed)
    with pytest.raises(OutcomeUnknown):
        bench.venue.send(what, action)
    bench.venue = bench.another_worker()


def assert_true(bench: Desk, what: Order, settled: Settled, before: Decimal = Decimal(0)) -> None:
    """The end that we found is what the venue has in its books: no more, and no less."""
    cloid = f"0x{what.id.hex}"
    own = [fill for fill in bench.books()["fills"] if fill.get("cloid") == cloid]
    told = {f"{fill['oid']}:{fill['tid']}": Decimal(fill["sz"]) for fill in own}
    assert {fill.venue_fill_id: fill.size for fill in settled.fills} == told
    assert bench.size() == before + what.side.sign * settled.filled_size
    assert len({fill["oid"] for fill in own}) <= 1


@pytest.mark.parametrize(("mode", "processed"), LOST)
def test_whatever_becomes_of_the_answer_an_order_has_one_true_end(
    bench: Desk, mode: str, processed: bool
) -> None:
    what = order()
    sent(bench, what, mode, processed=processed)

    settled = bench.settled(what)

    expected = OrderStatus.FILLED if processed else OrderStatus.EXPIRED
    assert settled.status is expected
    assert settled.detail or processed
    assert_true(bench, what, settled)


@pytest.mark.parametrize(("mode", "processed"), LOST)
def test_the_same_holds_for_a_close(bench: Desk, mode: str, processed: bool) -> None:
    bench.trade(order())
    what = order(Purpose.CLOSE, Side.SHORT, limit="59400")
    sent(bench, what, mode, processed=processed)

    settled = bench.settled(what)

    assert settled.status is (OrderStatus.FILLED if processed else OrderStatus.EXPIRED)
    assert_true(bench, what, settled, before=SIZE)


@pytest.mark.parametrize(("mode", "processed"), LOST)
def test_a_no_op_may_fail_in_every_way_too(bench: Desk, mode: str, processed: bool) -> None:
    what = order()
    sent(bench, what, "drop", processed=False)
    fail(bench, mode, "noop", processed=processed)

    settled = bench.settled(what)

    assert settled.status is OrderStatus.EXPIRED
    assert [action.kind for action in bench.stored[what.id]] == [ActionKind.ORDER, ActionKind.NOOP]
    assert_true(bench, what, settled)


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("mode", [*BEFORE_AND_AFTER, *AFTER])
@pytest.mark.parametrize("processed", [False, True])
def test_a_venue_that_cannot_be_asked_for_a_while_changes_no_end(
    bench: Desk, question: str, mode: str, processed: bool
) -> None:
    what = order()
    sent(bench, what, "drop", processed=processed)
    fail(bench, mode, question, processed=True, times=2)

    settled = bench.settled(what)

    assert settled.status is (OrderStatus.FILLED if processed else OrderStatus.EXPIRED)
    assert_true(bench, what, settled)


@pytest.mark.parametrize("waits", [0, 9, 30])
def test_an_order_that_arrives_after_we_gave_up_waiting_has_one_true_end(
    bench: Desk, waits: int
) -> None:
    what = order()
    action = bench.prepared(what)
    bench.tell("fail", mode="delay", seconds=1, type="order", processed=False, times=1)
    with pytest.raises(OutcomeUnknown):
        bench.venue.send(what, action)
    bench.venue = bench.another_worker()
    bench.time.pass_seconds(waits)
    asked_early = bench.settle(what)
    until = time.monotonic() + 5
    while bench.requests("order") == 0 and time.monotonic() < until:
        time.sleep(0.05)

    settled = asked_early if isinstance(asked_early, Settled) else bench.settled(what)

    assert settled.status is (OrderStatus.EXPIRED if waits else OrderStatus.FILLED)
    assert_true(bench, what, settled)


@pytest.mark.parametrize(
    "lag", [{"orderStatus": 10}, {"fills": 10}, {"orderStatus": 10, "fills": 25}]
)
@pytest.mark.parametrize("processed", [False, True])
def test_reads_that_are_late_change_no_end(
    bench: Desk, lag: dict[str, int], processed: bool
) -> None:
    bench.tell("lag", **lag)
    what = order()
    sent(bench, what, "drop", processed=processed)

    settled = bench.settled(what)

    assert settled.status is (OrderStatus.FILLED if processed else OrderStatus.EXPIRED)
    assert_true(bench, what, settled)


def test_the_same_bytes_again_execute_once_and_their_refusal_says_nothing(bench: Desk) -> None:
    what = order()
    action = bench.prepared(what)
    sent_at_all = [_sent_again(bench, what, action) for _ in range(3)]

    settled = bench.settled(what)

    assert sent_at_all == ["", Meaning.NONCE_USED, Meaning.NONCE_USED]
    assert settled.status is OrderStatus.FILLED
    assert_true(bench, what, settled)


def _sent_again(bench: Desk, what: Order, action: Action) -> str:
    try:
        bench.venue.send(what, action)
    except VenueError as fault:
        return fault.code
    return ""


def test_an_exit_whose_answer_was_lost_rests_once(bench: Desk) -> None:
    bench.trade(order())
    for processed in (True, False):
        stop = order(Purpose.STOP_LOSS, Side.SHORT, trigger="58000")
        sent(bench, stop, "drop", processed=processed)

        bench.time.pass_seconds(9)
        told = bench.settle(stop)

        assert (getattr(told, "status", None) is OrderStatus.EXPIRED) is not processed
    resting = [each for each in bench.books()["orders"] if each["status"] == "open"]
    assert len(resting) == 1


def test_a_leverage_whose_answer_was_lost_lets_no_order_out(bench: Desk) -> None:
    fail(bench, "drop", "updateLeverage", processed=True)

    with pytest.raises(OutcomeUnknown):
        bench.prepared(order(leverage="3"))
    assert [action["type"] for action in bench.actions()] == ["updateLeverage"]

    again = order(leverage="3")
    bench.prepared(again)
    assert [action.kind for action in bench.stored[again.id]] == [ActionKind.ORDER]


def test_what_went_through_before_the_venue_went_down_is_found_when_it_is_back(
    bench: Desk,
) -> None:
    what = order()
    sent(bench, what, "drop", processed=True)
    bench.tell("fail", mode="503")
    for _ in range(100):
        with pytest.raises(VenueUnavailable):
            bench.settle(what)
        bench.time.pass_seconds(60)
    bench.tell("fail", mode=None)

    settled = bench.settled(what)

    assert settled.status is OrderStatus.FILLED
    assert_true(bench, what, settled)


def test_where_nobody_listens_nothing_was_sent(bench: Desk) -> None:
    what = order()
    action = bench.prepared(what)
    nowhere = HyperliquidVenue(
        "testnet", "http://127.0.0.1:1", timeout_seconds=PATIENCE_SECONDS, clock=lambda: NOW
    )

    with pytest.raises(VenueUnavailable):
        nowhere.send(what, action)
    bench.venue.send(what, action)

    assert bench.settled(what).status is OrderStatus.FILLED


def test_a_429_to_an_order_is_unknown_and_starts_a_pause(bench: Desk) -> None:
    what = order()
    action = bench.prepared(what)
    fail(bench, "429", "order", processed=False)

    with pytest.raises(OutcomeUnknown) as unknown:
        bench.venue.send(what, action)
    with pytest.raises(VenueUnavailable, match="it said 429"):
        bench.venue.send(what, action)

    assert unknown.value.code == "RATE_LIMITED"
    bench.time.pass_seconds(15)
    assert bench.settled(what).status is OrderStatus.EXPIRED


def test_an_account_that_has_used_up_its_requests_is_told_so_for_good(
    bench: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    what = order()
    action = bench.prepared(what)
    bench.tell("account", user=USER, requestsUsed=10_000)

    with pytest.raises(VenueRejected, match="Too many cumulative requests") as refused:
        bench.venue.send(what, action)

    assert refused.value.code == "REQUESTS_USED_UP"
    assert [record.levelname for record in caplog.records] == ["ERROR"]


UNREAD = b"Failed to deserialize the JSON body into the target type"


@pytest.mark.parametrize(
    ("behaviour", "ends"),
    [
        (says(UNREAD, "422 Unprocessable Entity"), VenueRejected),
        (says(b"Failed to parse the request body as JSON", "400 Bad Request"), VenueRejected),
        (says(UNREAD, "500 Internal Server Error"), OutcomeUnknown),
        (says(b"something else", "422 Unprocessable Entity"), OutcomeUnknown),
        (says(b"", "403 Forbidden"), OutcomeUnknown),
        (says(b"null", "429 Too Many Requests"), OutcomeUnknown),
        (says(b"", "302 Found", "Location: http://127.0.0.1:1/"), OutcomeUnknown),
        (says(b"null"), OutcomeUnknown),
        (says(b'"Order has zero size."'), OutcomeUnknown),
        (says(b"Order has zero size."), OutcomeUnknown),
        (says(b"[" * 100_000), OutcomeUnknown),
        (says(b"[" * 400 + b"]" * 400), OutcomeUnknown),
        (says(b'{"status":"err","response":' + b"9" * 4000 + b"}"), OutcomeUnknown),
        (says_and_hangs_up(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"), OutcomeUnknown),
        (says_and_hangs_up(b""), OutcomeUnknown),
        (
            says(b'{"status":"err","response":"Order has zero size."}'),
            VenueRejected,
        ),
    ],
)
def test_what_comes_over_the_wire_is_refused_only_in_documented_words(
    behaviour: Behaviour, ends: type[VenueError]
) -> None:
    with Misbehaving(behaviour) as server:
        venue = HyperliquidVenue(
            "testnet",
            f"http://127.0.0.1:{server.port}",
            timeout_seconds=PATIENCE_SECONDS,
            clock=lambda: NOW,
        )
        with pytest.raises(ends):
            venue.send(order(), Action(kind=ActionKind.ORDER, payload=b'{"stored":"bytes"}'))

    (request,) = server.requests
    assert request.startswith(b"POST /exchange HTTP/1.1\r\n")
    assert request.endswith(b'\r\n\r\n{"stored":"bytes"}')
