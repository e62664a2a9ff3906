"""The two ways /exchange answers an action with status 200, and the texts it refuses one with."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from local.simulators.hyperliquid.figures import wire

MISSING_ORDER = "Order was never placed, already canceled, or filled."


def accepted() -> dict[str, Any]:
    """Done, with nothing to say about it."""
    return {"status": "ok", "response": {"type": "default"}}


def statuses(kind: str, told: Sequence[Any]) -> dict[str, Any]:
    """Carried out, one status an order; `kind` is `order` or `cancel`."""
    return {"status": "ok", "response": {"type": kind, "data": {"statuses": list(told)}}}


def refused(text: str) -> dict[str, Any]:
    """The whole action is refused."""
    return {"status": "err", "response": text}


def unknown_signer(address: str) -> dict[str, Any]:
    """Of an action on an account: a wrong hash recovers to an address like this, too."""
    return refused(f"User or API Wallet {address} does not exist.")


def must_deposit(address: str) -> dict[str, Any]:
    """Of what only an account's own key may sign, an agent's key included."""
    return refused(f"Must deposit before performing actions. User: {address}")


def too_many_requests(used: int, cap: int, volume_usd: Decimal) -> dict[str, Any]:
    """Of an account that has used up its actions for good."""
    volume = wire(volume_usd.quantize(Decimal("0.01")))
    return refused(
        f"Too many cumulative requests sent ({used} > {cap}) for cumulative volume traded"
        f" ${volume}. Place taker orders to free up 1 request per USDC traded."
    )
