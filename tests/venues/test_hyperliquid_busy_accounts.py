"""How an order ended in an account that trades so much that an answer holds a part of it."""

import json
from typing import Any

import pytest

from agent_where.domain import OrderStatus, Settled
from agent_where.errors import NotAllTold
from agent_where.venues.base import Action, ActionKind
from agent_where.venues.hyperliquid.refusals import Meaning
from agent_where.venues.hyperliquid.trading import HyperliquidVenue
from tests.venues.hyperliquid_desk import NOW, Told, order, signer

AT = int(NOW.timestamp() * 1000)
HOUR = 3_600_000
WHAT = order(number=5)
STORED = Action(
    kind=ActionKind.ORDER,
    payload=b'{"action":{"orders":[{"a":0,"s":"1"}]}}',
    nonce=AT,
    signer_address=signer().address,
    expires_at=NOW,
)
USED = STORED.model_copy(update={"kind": ActionKind.NOOP, "outcome": Meaning.NONCE_USED})


class Busy(Told):
    """The venue an hour later: it tells so many fills a page, and keeps the newest of them."""

    def __init__(self, known: dict[str, Any], fills: list[dict[str, Any]]) -> None:
        state = {"withdrawable": "0", "time": AT + HOUR, "assetPositions": []}
        super().__init__({"orderStatus": known, "clearinghouseState": state})
        self._fills = sorted(fills, key=lambda fill: fill["time"])[-10_000:]

    def post(self, url: str, body: bytes) -> object:
        asked = json.loads(body)
        if asked["type"] == "userFills":
            return self._fills[:-2001:-1]
        if asked["type"] == "userFillsByTime":
            return [fill for fill in self._fills if fill["time"] >= asked["startTime"]][:2000]
        return super().post(url, body)


def fill(tid: int, after_ms: int, *, size: str = "1", **more: object) -> dict[str, Any]:
    row = {"coin": "ETH", "px": "3000", "side": "B", "startPosition": "0", "fee": "0", "oid": 8}
    return {**row, "sz": size, "tid": tid, "time": AT + after_ms, **more}


def others(count: int) -> list[dict[str, Any]]:
    """The user's own, over most of the hour."""
    return [fill(tid, 10_000 + tid * 3_000_000 // count) for tid in range(count)]


def own(size: str) -> dict[str, Any]:
    """A second after the order was sent."""
    return fill(99_999, 1000, size=size, coin="BTC", oid=7, cloid=f"0x{WHAT.id.hex}")


def settled(known: dict[str, Any], *fills: dict[str, Any]) -> Settled:
    venue = HyperliquidVenue(
        "testnet",
        "",
        timeout_seconds=1,
        clock=lambda: NOW,
        http=Busy(known, list(fills)),
        weight_per_minute=100_000,
    )
    told = venue.settle(WHAT, [STORED, USED])
    assert isinstance(told, Settled)
    return told


UNKNOWN: dict[str, Any] = {"status": "unknownOid"}


def dropped(left: str) -> dict[str, Any]:
    """It rested, and was canceled an hour after it was placed."""
    placed = {"coin": "BTC", "oid": 7, "timestamp": AT, "origSz": "1", "sz": left}
    known = {"order": placed, "status": "canceled", "statusTimestamp": AT + HOUR - 60_000}
    return {"status": "order", "order": known}


def test_an_execution_behind_the_latest_fills_is_found() -> None:
    """Its look-up is gone, and no page of the latest shows it."""
    told = settled(UNKNOWN, own("0.4"), *others(2500))

    assert told.status is OrderStatus.FILLED
    assert told.filled_size is not None
    assert f"{told.filled_size:f}" == "0.4"


def test_what_was_never_executed_expires_once_all_fills_since_are_seen() -> None:
    assert settled(UNKNOWN, *others(2500)).status is OrderStatus.EXPIRED


@pytest.mark.parametrize("executed", [True, False])
def test_nothing_expires_where_the_fills_since_are_not_all_told(executed: bool) -> None:
    fills = [*([own("0.4")] if executed else []), *others(10_000)]

    with pytest.raises(NotAllTold):
        settled(UNKNOWN, *fills)


def test_what_was_executed_long_before_its_end_and_is_told_no_more_has_no_end_yet() -> None:
    with pytest.raises(NotAllTold):
        settled(dropped("0.6"), own("0.4"), *others(10_000))


def test_a_canceled_order_of_which_nothing_is_gone_ends_though_not_all_fills_are_told() -> None:
    """Its own word, and the fills of its last minutes."""
    assert settled(dropped("1"), *others(10_000)).status is OrderStatus.REJECTED
