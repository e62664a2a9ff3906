"""The simulated venue behind HTTP: /info and /exchange over one state, and its controls."""

from collections.abc import Callable
from datetime import datetime

from local.simulators.control import Control
from local.simulators.faults import kind_of
from local.simulators.hyperliquid import commands
from local.simulators.hyperliquid.books import Books
from local.simulators.hyperliquid.clock import Clock
from local.simulators.hyperliquid.exchange import exchange
from local.simulators.hyperliquid.info import info
from local.simulators.hyperliquid.markets import Markets
from local.simulators.hyperliquid.placing import pass_time
from local.simulators.hyperliquid.state import State
from local.simulators.hyperliquid.universe import coins
from local.simulators.server import Reply, Request

_NO_JSON = b"Expected request with `Content-Type: application/json`"


class HyperliquidSimulator:
    """Answers `POST /info` and `POST /exchange`. Callers see to it that one at a time does.

    Args:
        clock: moves the prices, and is what nonces and expiries are measured by.
        seed: another seed, another path of prices and other sizes.
        is_mainnet: whether signatures for mainnet count, or those for testnet. The official
            client signs for testnet towards any address that is not the real mainnet's.
    """

    def __init__(
        self, clock: Callable[[], datetime], seed: int = 1, *, is_mainnet: bool = False
    ) -> None:
        listed = coins()
        self.control = Control(frozenset(coin.name for coin in listed))
        markets = Markets(Clock(clock), self.control, Books(seed), seed, coins=listed)
        self.state = State(markets, is_mainnet)
        self.control.commands = commands.commands(self.state, self.control)
        self.control.reports = commands.reports(self.state)
        self.control.on_reset = lambda: commands.reset(self.state)
        self.control.on_change = lambda: pass_time(self.state)

    def answer(self, request: Request) -> Reply:
        """The answer to a request, errors of the caller's in the venue's own words."""
        if request.method != "POST" or request.path not in ("/info", "/exchange"):
            return Reply(404, b"", "text/plain")
        if not request.content_type.lower().startswith("application/json"):
            return Reply(415, _NO_JSON, "text/plain")
        self.state.ledger.requests[f"{request.path} {kind_of(request.body)}"] += 1
        pass_time(self.state)
        serve = info if request.path == "/info" else exchange
        return serve(self.state, request.body)
