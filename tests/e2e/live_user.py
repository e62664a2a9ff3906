"""A user of the live deployment: a wallet, a token, an agent of the user's own, what it trades."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from local.stack import Stack
from local.venues import ask
from local.wallet import Wallet
from tests.e2e.client import signal

SCOPES = ("routing:read", "routing:write", "signals:write")
RECONCILE_EVERY_SECONDS = 8


@dataclass(frozen=True)
class LiveUser:
    """Somebody who follows an agent of their own. `wallet` signs for nobody else, ever."""

    live: Stack
    wallet: Wallet
    token: str
    agent: str
    deployment: str

    @classmethod
    def at(cls, live: Stack, *venues: str) -> "LiveUser":
        """A new user with money, whose agent asks for the best of these venues."""
        assert live.venues is not None
        wallet = Wallet.new(live.venues)
        wallet.fund(1_000)
        named = wallet.address
        token = live.issuer.token(scopes=SCOPES, wallet=named, seconds=3600, subject=named)
        mine = {"name": "live", "venue": "MULTI", "status": "ACTIVE"}
        agent = created(live, "/agents", mine | {"profit_receiver_address": named}, token)
        followed = f"/agents/{agent['agent']['id']}/deployments"
        made = created(live, followed, {"venues": list(venues)}, token)["deployment"]
        return cls(live, wallet, token, agent["agent"]["id"], made["id"])

    def account(self, venue: str) -> Mapping[str, Any]:
        """The user's account at a venue, as the deployment shows it."""
        answer = self.live.call("GET", f"/deployments/{self.deployment}", token=self.token)
        accounts: Sequence[Mapping[str, Any]] = answer.body["deployment"]["accounts"]
        return next(each for each in accounts if each["venue"] == venue)

    def approves(self, *venues: str) -> None:
        """Let the key trade there, and wait until the venues' word is known."""
        for venue in venues:
            self.wallet.approve(self.account(venue))
        self.live.invoke("reconcile")
        self.until(lambda: all(self.account(venue)["approved_until"] for venue in venues))

    def sends(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """Send a signal; returns it."""
        answer = self.live.call("POST", "/signals", dict(body), token=self.token)
        assert answer.status == 202, answer
        return body

    def opens(self, token: str) -> Mapping[str, Any]:
        """Send a LONG of 50 USDC at leverage 2."""
        return self.sends(signal(self.agent, token))

    def closes(self, token: str) -> Mapping[str, Any]:
        """Send a CLOSE."""
        told = {"agentId": self.agent, "tokenSymbol": token, "action": "CLOSE"}
        return self.sends({"signalId": str(uuid4()), **told})

    def trade(self, of: Mapping[str, Any]) -> Any:
        """Where a signal's trade is."""
        answer = self.live.call("GET", f"/signals/{of['signalId']}", token=self.token)
        assert answer.status == 200, answer
        return answer.body

    def position(self, of: Mapping[str, Any], status: str) -> Mapping[str, Any]:
        """A signal's one position, once it stands so."""
        self.until(lambda: [each["status"] for each in self.trade(of)["positions"]] == [status])
        (found,) = self.trade(of)["positions"]
        return dict(found)

    def until(self, holds: Callable[[], bool], seconds: float = 90) -> None:
        """Wait for it; meanwhile ask how orders stand, as the schedule does each minute."""
        until = time.monotonic() + seconds
        reconcile_at = time.monotonic() + RECONCILE_EVERY_SECONDS
        while not holds():
            assert time.monotonic() < until, f"it did not hold within {seconds} s"
            if time.monotonic() > reconcile_at:
                self.live.invoke("reconcile")
                reconcile_at = time.monotonic() + RECONCILE_EVERY_SECONDS
            time.sleep(0.3)

    # What the venues have on their books

    def at_hyperliquid(self) -> Mapping[str, Any]:
        """The user's account there."""
        found: Mapping[str, Any] = ask(self.wallet.venues.hyperliquid, "books")["accounts"]
        return dict(found[self.wallet.address])

    def at_ostium(self) -> Sequence[Mapping[str, Any]]:
        """The user's open trades on the chain."""
        assert self.wallet.venues.ostium_rpc is not None
        found = ask(self.wallet.venues.ostium_rpc, "books")["trades"]
        return list(found.get(self.wallet.address, []))


def created(live: Stack, path: str, body: Mapping[str, object], token: str) -> Any:
    """What the API made."""
    answer = live.call("POST", path, dict(body), token=token)
    assert answer.status in (200, 201), answer
    return answer.body
