"""Who calls, and how far that reaches.

The authorizer verified the token and passes on what it says; this reads it, fails closed where
anything is missing, and looks at the expiry again, since the authorizer's answers are cached.
What belongs to whom is decided in the statements, by a `Reach`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from agent_where.errors import BadInput, Forbidden, Unauthorized


class Scope(StrEnum):
    """What a token may be good for. ADMIN includes the others."""

    READ = "routing:read"
    WRITE = "routing:write"
    SIGNALS = "signals:write"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Reach:
    """What a caller gets at: `everything`, or what belongs to `wallet`, in lower case.

    Neither: nothing that belongs to anybody.
    """

    everything: bool
    wallet: str | None

    def params(self) -> Mapping[str, object]:
        """As the statements take it."""
        return {"everything": self.everything, "wallet": self.wallet}

    def covers(self, wallet: str) -> bool:
        """Whether what belongs to a wallet, written in any case, is in reach."""
        return self.everything or wallet.lower() == self.wallet


EVERYTHING = Reach(everything=True, wallet=None)


@dataclass(frozen=True, slots=True)
class Caller:
    """Whom a token stands for. `wallet` in lower case; None: the token names none."""

    subject: str
    scopes: frozenset[Scope]
    wallet: str | None

    @property
    def is_admin(self) -> bool:
        return Scope.ADMIN in self.scopes

    @property
    def reach(self) -> Reach:
        return Reach(everything=self.is_admin, wallet=self.wallet)

    def check(self, scope: Scope) -> None:
        """Raises Forbidden where the token has neither this scope nor `admin`."""
        if scope not in self.scopes and not self.is_admin:
            raise Forbidden(f"the token lacks the scope {scope}")

    def wallet_for(self, told: str | None, field: str) -> str:
        """Whose wallet a request is about: its own, unless an admin tells another.

        Args:
            told: the wallet that the request names, if it does.
            field: what the request calls it.

        Raises:
            Forbidden: it is another's, or the token names none and may name nobody's.
            BadInput: neither the request nor an admin's token names one.
        """
        if told is None and self.wallet is not None:
            return self.wallet
        if told is None and self.is_admin:
            raise BadInput(f"{field}: the token names no wallet, so the request has to")
        if told is None:
            raise Forbidden(f"{field}: the token names no wallet")
        if not self.reach.covers(told):
            raise Forbidden(f"{field}: it is not the token's wallet, and that needs {Scope.ADMIN}")
        return told


def caller_of(told: Mapping[str, Any] | None, now: float) -> Caller:
    """Whom the authorizer lets through.

    Args:
        told: the authorizer's context in the event.
        now: seconds since 1970.

    Raises:
        Unauthorized: no authorizer vouches for the request, or its token has expired since.
    """
    if not told or not str(told.get("expires", "")).isdigit():
        raise Unauthorized("the request carries no valid token")
    if int(told["expires"]) <= now:
        raise Unauthorized("the token has expired")
    named = str(told.get("scopes", "")).split()
    return Caller(
        subject=str(told.get("subject", "")),
        scopes=frozenset(scope for scope in Scope if scope in named),
        wallet=str(told.get("wallet") or "").lower() or None,
    )
