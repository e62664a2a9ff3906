"""What /info tells of one account; each is a function of the state and the account's address.

An agent's address has no account, so it is answered as nobody's: empty.
"""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from local.simulators.hyperliquid import margin
from local.simulators.hyperliquid.accounts import Account, Leverage, Mode, Position
from local.simulators.hyperliquid.exchange import cap
from local.simulators.hyperliquid.figures import ZERO, plain
from local.simulators.hyperliquid.fills import Fill
from local.simulators.hyperliquid.margin import Summary
from local.simulators.hyperliquid.state import State
from local.simulators.hyperliquid.universe import Coin

MOST_FILLS = 2000
KEPT_FILLS = 10_000
_DAYS_OF_VOLUME = 15
_RATIO = Decimal("1e-10")
_USD = Decimal("1e-6")
_NO_FUNDING = {"allTime": "0.0", "sinceOpen": "0.0", "sinceChange": "0.0"}


def clearinghouse_state(state: State, user: str) -> dict[str, Any]:
    """Balances and positions of the perpetuals' side.

    Where the account's mode unifies its balances, what is free is told by the spot side alone.
    """
    known_by = state.now_ms() - state.lag.positions_ms
    account = state.ledger.as_of(user, known_by) or Account(user)
    mark = state.markets.mark
    bound = state.ledger.held_by_orders(account)
    free = margin.withdrawable(account, mark, bound)
    return {
        "marginSummary": _summary(margin.whole(account, mark)),
        "crossMarginSummary": _summary(margin.cross(account, mark)),
        "crossMaintenanceMarginUsed": _usd(margin.cross_maintenance(account, mark)),
        "withdrawable": "0.0" if account.mode.is_unified else _usd(free),
        "assetPositions": [_position(state, account, held) for held in account.open_positions()],
        "time": state.now_ms(),
    }


def spot_clearinghouse_state(state: State, user: str) -> dict[str, Any]:
    """Balances of the spot side; where the mode unifies, total less hold backs something new."""
    account = _of(state, user)
    total, hold = account.spot_usd, ZERO
    if account.mode.is_unified:
        total = account.cash_usd
        bound = state.ledger.held_by_orders(account)
        hold = total - margin.spare(account, state.markets.mark, bound)
    if not total:
        return {"balances": []}
    hold = min(max(hold, ZERO), total)
    usdc = {"coin": "USDC", "token": 0, "total": _usd(total), "hold": _usd(hold)}
    return {"balances": [usdc | {"entryNtl": "0.0"}]}


def fills(
    state: State, user: str, start_ms: int | None = None, end_ms: int | None = None
) -> list[dict[str, Any]]:
    """The newest first; from a time on, the oldest first. At most 2000, as far as known by now.

    Of an account its 10,000 newest are kept.
    """
    known: Sequence[Fill] = state.ledger.fills.of(user, state.now_ms() - state.lag.fills_ms)
    known = known[-KEPT_FILLS:]
    if start_ms is None:
        return [fill.told() for fill in reversed(known[-MOST_FILLS:])]
    within = [f for f in known if start_ms <= f.at_ms and (end_ms is None or f.at_ms <= end_ms)]
    return [fill.told() for fill in within[:MOST_FILLS]]


def user_rate_limit(state: State, user: str) -> dict[str, Any]:
    """How many of its actions an account has used."""
    account = _of(state, user)
    return {
        "cumVlm": plain(account.volume_usd),
        "nRequestsUsed": account.requests_used,
        "nRequestsCap": cap(account),
        "nRequestsSurplus": max(cap(account) - account.requests_used, 0),
    }


def user_role(state: State, user: str) -> dict[str, Any]:
    """What an address is here."""
    if user in state.ledger.users:
        return {"role": "agent", "data": {"user": state.ledger.users[user]}}
    account = state.ledger.accounts.get(user)
    if account is None:
        return {"role": "missing"}
    if account.master is not None:
        return {"role": "subAccount", "data": {"master": account.master}}
    return {"role": "user"}


def extra_agents(state: State, user: str) -> list[dict[str, Any]]:
    """The agents with a name; the one without is told by `userRole` alone."""
    return [
        {"name": agent.name, "address": agent.address, "validUntil": agent.valid_until_ms}
        for agent in _of(state, user).agents
        if agent.name
    ]


def user_abstraction(state: State, user: str) -> Mode:
    return _of(state, user).mode


def active_asset_data(state: State, user: str, coin: Coin) -> dict[str, Any]:
    """What an account could trade in a coin, buying and selling."""
    account, mark = _of(state, user), state.markets.mark(coin)
    spare = margin.spare(account, state.markets.mark, state.ledger.held_by_orders(account))
    leverage, held = account.leverage(coin), account.positions.get(coin.name)
    twice = 2 * margin.margin_used(held, mark) if held else ZERO
    size = held.size if held else ZERO
    there = [max(spare + (twice if against else ZERO), ZERO) for against in (size < 0, size > 0)]
    most = [(usd * leverage.value / mark // coin.lot) * coin.lot for usd in there]
    return {
        "user": user,
        "coin": coin.name,
        "leverage": _leverage(leverage, None),
        "maxTradeSzs": [plain(each) for each in most],
        "availableToTrade": [_usd(each) for each in there],
        "markPx": plain(mark),
    }


def user_fees(state: State, user: str) -> dict[str, Any]:
    """The account's own rates beside the schedule that all accounts have."""
    account = _of(state, user)
    today = state.markets.clock.now().date()
    days = [today - timedelta(days=back) for back in reversed(range(_DAYS_OF_VOLUME))]
    nothing = {"userCross": "0.0", "userAdd": "0.0", "exchange": "0.0"}
    return {
        "dailyUserVlm": [{"date": day.isoformat(), **nothing} for day in days],
        "feeSchedule": _FEE_SCHEDULE,
        "userCrossRate": plain(account.taker_rate),
        "userAddRate": plain(account.maker_rate),
        "userSpotCrossRate": "0.0007",
        "userSpotAddRate": "0.0004",
        "activeReferralDiscount": "0.0",
        "trial": None,
        "feeTrialEscrow": "0.0",
        "nextTrialAvailableTimestamp": None,
        "stakingLink": None,
        "activeStakingDiscount": {"bpsOfMaxSupply": "0.0", "discount": "0.0"},
    }


def _of(state: State, user: str) -> Account:
    """The account, or an empty one that nothing keeps."""
    return state.ledger.accounts.get(user) or Account(user)


def _position(state: State, account: Account, held: Position) -> dict[str, Any]:
    mark = state.markets.mark(held.coin)
    unrealised, notional = held.unrealised_usd(mark), held.notional_usd(mark)
    at_entry = abs(held.cost_usd) / held.leverage.value
    reached = margin.liquidation_price(account, held, state.markets.mark)
    raw = margin.margin_used(held, mark) - held.size * mark
    return {
        "type": "oneWay",
        "position": {
            "coin": held.coin.name,
            "szi": plain(held.size),
            "leverage": _leverage(held.leverage, raw),
            "entryPx": plain(held.coin.rounded(held.cost_usd / held.size)),
            "positionValue": _usd(notional),
            "unrealizedPnl": _usd(unrealised),
            "returnOnEquity": plain((unrealised / at_entry).quantize(_RATIO)),
            "liquidationPx": None if reached is None else plain(reached.quantize(_RATIO)),
            "marginUsed": _usd(margin.margin_used(held, mark)),
            "maxLeverage": held.coin.max_leverage,
            "cumFunding": _NO_FUNDING,
        },
    }


def _leverage(leverage: Leverage, raw_usd: Decimal | None) -> dict[str, Any]:
    kind = "cross" if leverage.is_cross else "isolated"
    told: dict[str, Any] = {"type": kind, "value": leverage.value}
    if not leverage.is_cross and raw_usd is not None:
        told["rawUsd"] = _usd(raw_usd)
    return told


def _summary(summary: Summary) -> dict[str, str]:
    return {
        "accountValue": _usd(summary.equity),
        "totalNtlPos": _usd(summary.notional),
        "totalRawUsd": _usd(summary.raw),
        "totalMarginUsed": _usd(summary.margin_used),
    }


def _usd(figure: Decimal) -> str:
    return plain(figure.quantize(_USD))


def _tier(cutoff: str, cross: str, add: str, spot_cross: str, spot_add: str) -> dict[str, str]:
    spot = {"spotCross": spot_cross, "spotAdd": spot_add}
    return {"ntlCutoff": cutoff, "cross": cross, "add": add, **spot}


_FEE_SCHEDULE: dict[str, Any] = {
    "cross": "0.00045",
    "add": "0.00015",
    "spotCross": "0.0007",
    "spotAdd": "0.0004",
    "tiers": {
        "vip": [
            _tier("5000000.0", "0.0004", "0.00012", "0.0006", "0.0003"),
            _tier("25000000.0", "0.00035", "0.00008", "0.0005", "0.0002"),
            _tier("100000000.0", "0.0003", "0.00004", "0.0004", "0.0001"),
            _tier("500000000.0", "0.00028", "0.0", "0.00035", "0.0"),
            _tier("2000000000.0", "0.00026", "0.0", "0.0003", "0.0"),
            _tier("7000000000.0", "0.00024", "0.0", "0.00025", "0.0"),
        ],
        "mm": [
            {"makerFractionCutoff": "0.005", "add": "-0.00001"},
            {"makerFractionCutoff": "0.015", "add": "-0.00002"},
            {"makerFractionCutoff": "0.03", "add": "-0.00003"},
        ],
    },
    "referralDiscount": "0.04",
    "stakingDiscountTiers": [
        {"bpsOfMaxSupply": share, "discount": discount}
        for share, discount in (
            *(("0.0", "0.0"), ("0.0001", "0.05"), ("0.001", "0.1"), ("0.01", "0.15")),
            *(("0.1", "0.2"), ("1.0", "0.3"), ("5.0", "0.4")),
        )
    ],
}
"""The documented one."""
