"""Reading Hyperliquid: every recorded answer, what may be missing from one, and quotes."""

import json
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from agent_where.domain import Market, Quote
from agent_where.errors import NotAllTold, VenueUnavailable
from agent_where.venue_settings import TradedAccess
from agent_where.venues._answers import shaped
from agent_where.venues._http import JsonHttp
from agent_where.venues.hyperliquid import answers
from agent_where.venues.hyperliquid.budget import COOL_DOWN_SECONDS, Budget
from agent_where.venues.hyperliquid.info import Info
from agent_where.venues.hyperliquid.markets import VENUE
from agent_where.venues.hyperliquid.trading import HyperliquidVenue
from agent_where.venues.registry import live_venue
from agent_where.venues.tally import Tally
from tests.patience import PATIENCE_SECONDS
from tests.venues.hyperliquid_desk import NOW, USER, Told, desk
from tests.venues.recorded import HYPERLIQUID_MAIN, HYPERLIQUID_XYZ, recorded
from tests.venues.server import Misbehaving, says
from tests.venues.test_any_answer import JSON, places

PARSED: dict[str, TypeAdapter[Any]] = {
    "info_clearinghouseState_empty_2025-12-13": answers.CLEARINGHOUSE,
    "info_clearinghouseState_short_2026-06": answers.CLEARINGHOUSE,
    "info_spotClearinghouseState_testnet_2025-08-23": answers.SPOT,
    "info_userFees_testnet_2026-09-18": answers.FEES,
    "info_activeAssetData_HYPE_testnet_2025-08-23": answers.ACTIVE_ASSET,
    "info_l2Book_BTC_nSigFigs5_2026-06-22": answers.BOOK,
    "info_l2Book_empty_SHIA_2024-10-29": answers.BOOK,
    "info_orderStatus_filled_testnet_2025-08-22": answers.LOOKED_UP,
    "info_orderStatus_unknownOid_mainnet_2025-08-22": answers.LOOKED_UP,
    "info_userFillsByTime_testnet_2025-08-22": answers.FILL_ROWS,
    "info_extraAgents_2025-09-04": answers.AGENTS,
    "info_meta_main_testnet_2025-08-23": answers.UNIVERSE,
}
NOT_READ = {"info_userRateLimit_2025-08-22", "info_perpDexs_2026-06-22"}


def market(coin: str = "BTC", multiplier: int = 1, step: str = "0.00001") -> Market:
    return Market(
        venue=VENUE,
        token_symbol=coin.removeprefix("k"),
        name=f"{coin}/USD",
        index=0,
        multiplier=Decimal(multiplier),
        size_step=Decimal(step),
        max_leverage=Decimal(40),
    )


def book(coin: str = "BTC", at: datetime = NOW, **more: object) -> dict[str, object]:
    bids, asks = [{"px": "99.5", "sz": "1", "n": 2}], [{"px": "100", "sz": "2", "n": 1}]
    time = answers.milliseconds_of(at)
    return {"coin": coin, "time": time, "levels": [bids, asks], **more}


def quoted(told: object, of: Market | None = None, *, age: int = 10) -> Quote:
    """The quote that our adapter makes of an answer at noon."""
    with Misbehaving(says(json.dumps(told).encode())) as server:
        venue = HyperliquidVenue(
            "testnet",
            f"http://127.0.0.1:{server.port}",
            timeout_seconds=PATIENCE_SECONDS,
            clock=lambda: NOW,
            max_quote_age=timedelta(seconds=age),
        )
        return venue.quote(of or market(), NOW)


@pytest.mark.parametrize("name", sorted(PARSED))
def test_every_recorded_answer_is_read(name: str) -> None:
    told = recorded(f"hyperliquid/{name}.json")

    shaped(VENUE, PARSED[name], told)


@pytest.mark.parametrize("name", [HYPERLIQUID_MAIN, HYPERLIQUID_XYZ])
def test_the_recorded_universes_say_which_markets_are_isolated_alone(name: str) -> None:
    meta, _ = recorded(name)

    universe = shaped(VENUE, answers.UNIVERSE, meta).universe

    isolated = [asset for asset in universe if asset.is_isolated_only]
    assert len(isolated) == sum(asset.get("onlyIsolated", False) for asset in meta["universe"]) > 0


def test_no_recording_is_overlooked() -> None:
    folder = Path(__file__).parents[3] / "shared" / "recorded" / "hyperliquid"
    if not folder.exists():
        pytest.skip("payloads are only beside the repository where they were recorded")
    known = PARSED.keys() | NOT_READ

    told = {path.stem for path in folder.glob("info_*.json") if "metaAndAssetCtxs" not in path.stem}

    assert told <= known


def test_the_recorded_order_has_its_recorded_fill() -> None:
    looked_up = recorded("hyperliquid/info_orderStatus_filled_testnet_2025-08-22.json")
    rows = recorded("hyperliquid/info_userFillsByTime_testnet_2025-08-22.json")

    order = shaped(VENUE, answers.LOOKED_UP, looked_up).order
    fills = shaped(VENUE, answers.FILL_ROWS, rows)

    assert order is not None
    (own,) = [fill for fill in fills if fill.is_of(order.order.order_id, "0x")]
    assert own.size == order.order.size - order.order.left == Decimal("0.0025")
    assert own.time == order.order.placed == order.since
    assert [fill.start for fill in fills] == [Decimal(0), own.size]
    assert [fill.end for fill in fills] == [own.size, Decimal(0)]


def test_the_recorded_position_is_short_and_cross() -> None:
    told = recorded("hyperliquid/info_clearinghouseState_short_2026-06.json")

    held = shaped(VENUE, answers.CLEARINGHOUSE, told).of("BTC")

    assert held is not None
    assert (held.size, held.leverage.value, held.leverage.is_cross) == (
        Decimal("-56.27938"),
        30,
        True,
    )


@cache
def samples() -> list[tuple[TypeAdapter[Any], Any]]:
    """A healthy answer of every shape, from the simulator."""
    asked: list[tuple[TypeAdapter[Any], dict[str, object]]] = [
        (answers.CLEARINGHOUSE, {"type": "clearinghouseState", "user": USER}),
        (answers.SPOT, {"type": "spotClearinghouseState", "user": USER}),
        (answers.FEES, {"type": "userFees", "user": USER}),
        (answers.ACTIVE_ASSET, {"type": "activeAssetData", "user": USER, "coin": "BTC"}),
        (answers.BOOK, {"type": "l2Book", "coin": "BTC"}),
        (answers.LOOKED_UP, {"type": "orderStatus", "user": USER, "oid": 41545810397}),
        (answers.FILL_ROWS, {"type": "userFills", "user": USER}),
        (answers.AGENTS, {"type": "extraAgents", "user": USER}),
        (answers.ABSTRACTION, {"type": "userAbstraction", "user": USER}),
    ]
    with desk() as made:
        made.tell("trade", user=USER, coin="BTC", buy=True, size="0.01")
        return [
            (shape, JsonHttp().post(f"{made.url}/info", json.dumps(body).encode()))
            for shape, body in asked
        ]


@settings(deadline=None)
@given(data=st.data())
def test_whatever_is_wrong_in_an_answer_is_unavailable_and_nothing_else(
    data: st.DataObject,
) -> None:
    shape, answer = data.draw(st.sampled_from(samples()))
    wrong = {"answer": deepcopy(answer)}
    place = data.draw(st.sampled_from([*places(wrong)]))
    holder: Any = wrong
    for step in place[:-1]:
        holder = holder[step]
    holder[place[-1]] = data.draw(JSON)

    try:
        shaped(VENUE, shape, wrong["answer"])
    except VenueUnavailable as refused:
        str(refused).encode()


def test_new_keys_are_ignored() -> None:
    for shape, answer in samples():
        grown = {**answer, "new": {"deep": [1]}} if isinstance(answer, dict) else answer

        assert shaped(VENUE, shape, grown) == shaped(VENUE, shape, answer)


def test_a_quote_is_the_best_of_the_book_with_the_venues_time() -> None:
    assert quoted(book(new=1)) == Quote(bid=Decimal("99.5"), ask=Decimal(100), at=NOW)


def test_a_quote_of_a_coin_of_thousands_is_per_token() -> None:
    quote = quoted(book("kPEPE"), market("kPEPE", 1000, "1000"))

    assert (quote.bid, quote.ask) == (Decimal("0.0995"), Decimal("0.1"))


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (None, "unforeseen answer"),
        (book("ETH"), "another coin"),
        (book(levels=[[], []]), "no bids"),
        (book(levels=[[{"px": "1", "sz": "1"}], []]), "no asks"),
        (book(levels=[[{"px": "2", "sz": "1"}], [{"px": "1", "sz": "1"}]]), "crossed"),
        (book(levels=[[{"px": "0", "sz": "1"}], [{"px": "1", "sz": "1"}]]), "levels"),
        (book(levels=[[]]), "levels"),
        (book(at=NOW - timedelta(seconds=11)), "11 s old"),
    ],
)
def test_without_two_sides_of_now_there_is_no_quote(told: object, words: str) -> None:
    with pytest.raises(VenueUnavailable, match=words):
        quoted(told)


def test_how_old_a_quote_may_be_is_a_setting() -> None:
    told = book(at=NOW - timedelta(seconds=11))

    assert quoted(told, age=12).at == NOW - timedelta(seconds=11)


def test_a_book_is_old_by_the_venues_own_newest_time_whatever_our_clock_says() -> None:
    late = NOW - timedelta(seconds=30)
    with desk() as made:
        made.venue.quote(made.markets["BTC/USD"], made.time())
        behind = HyperliquidVenue(
            "testnet", made.url, timeout_seconds=PATIENCE_SECONDS, clock=lambda: late
        )
        behind.quote(made.markets["BTC/USD"], late)
        made.tell("clock", advance=-11)

        with pytest.raises(VenueUnavailable, match="11 s old"):
            behind.quote(made.markets["BTC/USD"], late)


@pytest.mark.parametrize("wrong", [timedelta(minutes=-1), timedelta(minutes=1)])
def test_the_clock_of_a_process_says_nothing_of_a_book_s_age(wrong: timedelta) -> None:
    with desk() as made:
        venue = HyperliquidVenue(
            "testnet",
            made.url,
            timeout_seconds=PATIENCE_SECONDS,
            clock=lambda: made.time() + wrong,
        )
        venue.quote(made.markets["BTC/USD"], made.time())
        with pytest.raises(VenueUnavailable, match="11 s old"):
            venue.quote(made.markets["BTC/USD"], made.time() + timedelta(seconds=11))


def _requests(ask: Callable[[Info], object], answer: object) -> list[Any]:
    with Misbehaving(says(json.dumps(answer).encode())) as server:
        info = Info(
            f"http://127.0.0.1:{server.port}/",
            JsonHttp(),
            Budget(1200, clock=lambda: 0.0, tally=Tally()),
        )
        ask(info)
    assert all(request.startswith(b"POST /info HTTP/1.1\r\n") for request in server.requests)
    return [json.loads(request.partition(b"\r\n\r\n")[2]) for request in server.requests]


def test_accounts_are_asked_about_by_the_users_address() -> None:
    row = recorded("hyperliquid/info_userFillsByTime_testnet_2025-08-22.json")[0]
    plain = json.loads(json.dumps(row, default=str))

    assert _requests(lambda info: info.order(USER, "0x" + "ab" * 16), {"status": "unknownOid"}) == [
        {"type": "orderStatus", "user": USER, "oid": "0x" + "ab" * 16}
    ]
    assert _requests(lambda info: info.fills_since(USER, 5), [plain]) == [
        {"type": "userFillsByTime", "user": USER, "startTime": 5}
    ]


def test_pages_of_fills_that_lead_nowhere_are_asked_for_no_longer() -> None:
    row = {"coin": "BTC", "px": "1", "sz": "1", "side": "B", "startPosition": "0", "fee": "0"}
    page = [{**row, "time": 10 + place, "oid": 1, "tid": place} for place in range(2000)]

    def read(info: Info) -> None:
        with pytest.raises(NotAllTold):
            info.fills_since(USER, 5)

    asked = _requests(read, page)

    assert [each["startTime"] for each in asked] == [5, 2009]


def test_an_order_that_is_said_to_be_there_and_is_not_is_an_unforeseen_answer() -> None:
    with pytest.raises(VenueUnavailable, match="unforeseen"):
        _requests(lambda info: info.order(USER, 1), {"status": "order"})


def test_the_budget_of_a_minute_is_kept_and_what_is_over_it_is_not_sent() -> None:
    with desk() as made:
        venue = HyperliquidVenue(
            "testnet",
            made.url,
            timeout_seconds=PATIENCE_SECONDS,
            clock=made.time,
            weight_per_minute=64,
            monotonic=made.time.seconds,
        )
        before = made.requests("l2Book")
        for _ in range(2):
            venue.quote(made.markets["BTC/USD"], made.time())

        with pytest.raises(VenueUnavailable, match="leaves no 2 of 4") as refused:
            venue.quote(made.markets["BTC/USD"], made.time())
        assert refused.value.code == "RATE_LIMITED"
        assert made.requests("l2Book") == before + 2

        made.time.pass_seconds(60)
        venue.quote(made.markets["BTC/USD"], made.time())


def test_a_process_keeps_to_the_setting_s_part_of_the_limit() -> None:
    with desk() as made:
        access = TradedAccess(
            network="testnet", hyperliquid_api_url=made.url, hyperliquid_weight_per_minute=200
        )
        venue = cast("HyperliquidVenue", live_venue(VENUE, access))
        for _ in range(70):
            venue.positions(USER)

        with pytest.raises(VenueUnavailable, match="140 in the last minute leaves no 2 of 140"):
            venue.positions(USER)


def test_sending_may_use_what_reading_may_not() -> None:
    budget = Budget(100, clock=lambda: 0.0, tally=Tally())
    budget.read(40)

    with pytest.raises(VenueUnavailable):
        budget.read(1)
    for _ in range(60):
        budget.send(1)
    with pytest.raises(VenueUnavailable):
        budget.send(1)


def test_rows_that_came_with_an_answer_count_too() -> None:
    row = {"coin": "BTC", "px": "1", "sz": "1", "side": "B", "startPosition": "0", "fee": "0"}
    rows = [{**row, "time": 1, "oid": 1, "tid": place} for place in range(400)]
    told = Told({"": rows})

    questions: list[Callable[[Info], object]] = [
        lambda info: info.fills(USER, 0),
        lambda info: info.fills_since(USER, 0),
    ]
    for ask in questions:
        info = Info("", told, Budget(119, clock=lambda: 0.0, tally=Tally()))
        ask(info)
        with pytest.raises(VenueUnavailable, match="a weight of 40"):
            ask(info)


def test_after_a_429_nothing_is_asked_for_a_while_and_it_is_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with desk() as made:
        made.tell("fail", mode="429", times=1, path="/info")
        with pytest.raises(VenueUnavailable, match="429"):
            made.venue.quote(made.markets["BTC/USD"], made.time())
        asked = made.requests("l2Book")

        with pytest.raises(VenueUnavailable, match="nothing is asked for 15 s"):
            made.venue.quote(made.markets["BTC/USD"], made.time())
        assert made.requests("l2Book") == asked
        assert "429, the 1. of this process" in caplog.text

        made.time.pass_seconds(COOL_DOWN_SECONDS)
        made.venue.quote(made.markets["BTC/USD"], made.time())


def test_the_venues_milliseconds_are_exact_times() -> None:
    at = datetime(2026, 2, 6, 12, 0, 0, 123_999, tzinfo=UTC)

    assert answers.milliseconds_of(at) == 1_770_379_200_123
    assert answers.time_of(1_770_379_200_123) == at.replace(microsecond=123_000)
