"""Why the venue refuses: custom errors of a simulated call, reasons of a keeper, in our codes.

A simulation costs nothing and leaves nothing behind, so each of its errors is a refusal.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from agent_where.domain import Refusal
from agent_where.venues._evm.abi import PANIC, REVERT, SELECTOR_BYTES, Undecodable, decoded
from agent_where.venues._evm.chain import Reverted
from agent_where.venues.ostium.contracts import FAULTS

PAUSED: Final = "VENUE_PAUSED"
OPEN_INTEREST_CAPPED: Final = "OPEN_INTEREST_CAPPED"
TIMED_OUT: Final = "TIMED_OUT"
"""The keeper did not answer in time, and the order was taken back."""

_CODES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "AboveMaxAllowedCollateral": "ORDER_TOO_LARGE",
        "BelowFees": Refusal.BELOW_MIN_POSITION,
        "BelowMinLevPos": Refusal.BELOW_MIN_POSITION,
        "ExposureLimits": OPEN_INTEREST_CAPPED,
        "IsDone": PAUSED,
        "IsPaused": PAUSED,
        "NoDelegate": Refusal.NOT_APPROVED,
        "NoTradeFound": Refusal.NOTHING_TO_CLOSE,
        "NotDelegate": Refusal.NOT_APPROVED,
        "PairNotListed": Refusal.NOT_LISTED,
        "WrongLeverage": Refusal.ABOVE_MAX_LEVERAGE,
    }
)
"""Of the errors, those that the core has a word for."""

_REASONS: Final = (
    "NONE",
    "PAUSED",
    "MARKET_CLOSED",
    "SLIPPAGE",
    "TP_REACHED",
    "SL_REACHED",
    "EXPOSURE_LIMITS",
    "PRICE_IMPACT",
    "MAX_LEVERAGE",
    "NO_TRADE",
    "UNDER_LIQUIDATION",
    "NOT_HIT",
    "GAIN_LOSS",
    "DAY_TRADE_NOT_ALLOWED",
    "CLOSE_DAY_TRADE_NOT_ALLOWED",
    "WRONG_TRADE",
)
_REASON_CODES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "PAUSED": PAUSED,
        "MARKET_CLOSED": Refusal.MARKET_CLOSED,
        "EXPOSURE_LIMITS": OPEN_INTEREST_CAPPED,
        "MAX_LEVERAGE": Refusal.ABOVE_MAX_LEVERAGE,
        "NO_TRADE": Refusal.NOTHING_TO_CLOSE,
        "WRONG_TRADE": Refusal.NOTHING_TO_CLOSE,
    }
)


def refusal(reverted: Reverted) -> tuple[str, str]:
    """The code and the sentence of a call that would fail."""
    selector, rest = reverted.data[:SELECTOR_BYTES], reverted.data[SELECTOR_BYTES:]
    if not selector:
        return Refusal.VENUE_REFUSED, f"the call would fail: {reverted.words[:120]!a}"
    if selector == REVERT.selector:
        words = _words(rest)
        code = Refusal.NO_COLLATERAL if words.startswith("ERC20:") else Refusal.VENUE_REFUSED
        return code, f"the call would fail: {words[:120]!a}"
    fault = FAULTS.get(selector)
    if fault is None:
        known = PANIC.name if selector == PANIC.selector else "an unknown error"
        return Refusal.VENUE_REFUSED, f"the call would fail: {known}, 0x{reverted.data[:68].hex()}"
    try:
        values = decoded(fault.inputs, rest)
    except Undecodable:
        values = ()
    said = f"{fault.name}({', '.join(str(value) for value in values)})"
    return _CODES.get(fault.name, Refusal.VENUE_REFUSED), f"the call would fail: {said}"


def cancelled(reason: int) -> tuple[str, str]:
    """The code and the sentence of what a keeper cancelled."""
    name = _REASONS[reason] if reason < len(_REASONS) else f"REASON_{reason}"
    return _REASON_CODES.get(name, name), f"cancelled by the keeper: {name}"


def _words(data: bytes) -> str:
    try:
        (words,) = decoded(REVERT.inputs, data)
    except Undecodable:
        return ""
    return str(words)
