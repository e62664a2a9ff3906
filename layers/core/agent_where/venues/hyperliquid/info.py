"""The venue's info endpoint: every question that is asked of it, each with its weight.

All of it is reading: whatever goes wrong is VenueUnavailable. Accounts are asked about by the
user's address; an agent's own address has no data.
"""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Final, NamedTuple, TypeVar

from pydantic import TypeAdapter

from agent_where.venues._answers import malformed, shaped
from agent_where.venues._http import BadAnswer, JsonHttp, reading
from agent_where.venues.hyperliquid import answers
from agent_where.venues.hyperliquid.budget import Budget
from agent_where.venues.hyperliquid.fill_pages import PAGE, FillPages
from agent_where.venues.hyperliquid.markets import VENUE

_Shape = TypeVar("_Shape")

_LIGHT: Final = 2
_USUAL: Final = 20
_ROWS_A_WEIGHT: Final = 20
_TOO_MANY: Final = 429
_USDC: Final = 0


class Listed(NamedTuple):
    """A market: its id, and whether each position there has to have a margin of its own."""

    asset_id: int
    is_isolated_only: bool


class Info:
    """Asks.

    Args:
        url: the API's base, without `/info`.
    """

    def __init__(self, url: str, http: JsonHttp, budget: Budget) -> None:
        self._url = f"{url.rstrip('/')}/info"
        self._http = http
        self._budget = budget
        self._pages = FillPages(self._page, lambda: budget.spare(_USUAL))

    def book(self, coin: str) -> answers.Book:
        """Its order book: twenty levels a side."""
        book = self._ask(answers.BOOK, _LIGHT, "l2Book", coin=coin)
        if book.coin != coin:
            raise malformed(VENUE, "the book of another coin")
        return book

    def clearinghouse(self, account: str) -> answers.Clearinghouse:
        """Margin and positions on the main dex, and the venue's own time."""
        return self._ask(answers.CLEARINGHOUSE, _LIGHT, "clearinghouseState", user=account)

    def spot_usdc(self, account: str) -> Decimal:
        """The USDC of the spot side that nothing binds."""
        spot = self._ask(answers.SPOT, _LIGHT, "spotClearinghouseState", user=account)
        free = [each.total - each.hold for each in spot.balances if each.token == _USDC]
        return sum(free, Decimal(0))

    def abstraction(self, account: str) -> str:
        """Where the account's collateral lies, in the venue's word."""
        return self._ask(answers.ABSTRACTION, _USUAL, "userAbstraction", user=account)

    def fees(self, account: str) -> answers.Fees:
        """The account's own fee rates."""
        return self._ask(answers.FEES, _USUAL, "userFees", user=account)

    def leverage(self, account: str, coin: str) -> answers.Leverage:
        """What the account has set for a coin."""
        told = self._ask(answers.ACTIVE_ASSET, _USUAL, "activeAssetData", user=account, coin=coin)
        return told.leverage

    def asset(self, coin: str) -> Listed:
        """A market's place and rules at this moment."""
        told = self._ask(answers.UNIVERSE, _USUAL, "meta")
        for index, asset in enumerate(told.universe):
            if asset.name == coin:
                return Listed(index, is_isolated_only=asset.is_isolated_only)
        raise malformed(VENUE, f"no {coin} in the universe")

    def order(self, account: str, ref: str | int) -> answers.Known | None:
        """An order by its client id or by the venue's. None: the venue knows none (yet)."""
        told = self._ask(answers.LOOKED_UP, _LIGHT, "orderStatus", user=account, oid=ref)
        if (told.status == "order") != (told.order is not None):
            raise malformed(
                VENUE, f"status {told.status} with {'an' if told.order else 'no'} order"
            )
        return told.order

    def fills(self, account: str, back_to_ms: int) -> list[answers.FillRow]:
        """The account's latest fills, and all from a time on. Raises NotAllTold."""
        rows = self._fills("userFills", user=account)
        if len(rows) < PAGE or min(row.time for row in rows) < back_to_ms:
            return rows
        return self.fills_since(account, back_to_ms)

    def fills_since(self, account: str, since_ms: int) -> list[answers.FillRow]:
        """All of the account's fills from a time on. Raises NotAllTold."""
        return self._pages.since(account, since_ms)

    def agents(self, account: str) -> list[answers.Agent]:
        """The keys with a name that may trade for the account."""
        return self._ask(answers.AGENTS, _USUAL, "extraAgents", user=account)

    def _page(self, account: str, start_ms: int) -> list[answers.FillRow]:
        return self._fills("userFillsByTime", user=account, startTime=start_ms)

    def _fills(self, kind: str, **terms: str | int) -> list[answers.FillRow]:
        rows = self._ask(answers.FILL_ROWS, _USUAL, kind, **terms)
        self._budget.count(len(rows) // _ROWS_A_WEIGHT)
        return rows

    def _ask(
        self, shape: TypeAdapter[_Shape], weight: int, kind: str, **terms: str | int
    ) -> _Shape:
        asked: Mapping[str, str | int] = {"type": kind, **terms}
        self._budget.read(weight)
        with reading(VENUE):
            answer = self._post(json.dumps(asked, separators=(",", ":")).encode())
        return shaped(VENUE, shape, answer)

    def _post(self, body: bytes) -> object:
        try:
            return self._http.post(self._url, body)
        except BadAnswer as fault:
            if fault.status == _TOO_MANY:
                self._budget.refused()
            raise
