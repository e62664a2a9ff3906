"""What a test or a demonstration can tell this venue beside prices and faults, and ask it.

Nothing here is part of the real venue: money falls from the sky, time moves, positions are
liquidated, and everything that was ever done can be read.
"""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from local.simulators.control import BadControl, Command, Control, Report, flag, positive
from local.simulators.faults import seconds_of
from local.simulators.hyperliquid import agents, forcing
from local.simulators.hyperliquid.accounts import Account, Mode
from local.simulators.hyperliquid.judging import account_told, ledger_told
from local.simulators.hyperliquid.placing import pass_time
from local.simulators.hyperliquid.state import Lag, Ledger, State
from local.simulators.hyperliquid.wire import address

Asked = Mapping[str, Any]
_LONGEST_MOVE_SECONDS = 400 * 24 * 60 * 60
_MOST_LEVELS = 200


def commands(state: State, control: Control) -> dict[str, Command]:
    """By path; each takes the body of a control request and answers JSON or raises BadControl."""
    return {
        "/simulator/deposit": lambda asked: _deposit(state, asked),
        "/simulator/account": lambda asked: _account(state, asked),
        "/simulator/agent": lambda asked: _agent(state, asked),
        "/simulator/trade": lambda asked: _trade(state, control, asked),
        "/simulator/liquidate": lambda asked: _liquidate(state, control, asked),
        "/simulator/depth": lambda asked: _depth(state, control, asked),
        "/simulator/cap": lambda asked: _cap(state, control, asked),
        "/simulator/clock": lambda asked: _clock(state, asked),
        "/simulator/lag": lambda asked: _lag(state, asked),
        "/simulator/forget": lambda _: _forget(state),
    }


def reports(state: State) -> dict[str, Report]:
    """By path; each answers a GET."""
    return {"/simulator/books": lambda: _books(state)}


def reset(state: State) -> None:
    """End what was told of markets and time; accounts keep what they did."""
    state.markets.books.sizes.clear()
    state.markets.capped.clear()
    state.markets.clock.reset()
    state.lag = Lag()


def _books(state: State) -> dict[str, Any]:
    pass_time(state)
    return ledger_told(state)


def _user(asked: Asked, name: str = "user") -> str:
    try:
        return address(str(asked.get(name)))
    except ValueError as fault:
        raise BadControl(f"{asked.get(name)!r} is no address") from fault


def _known(state: State, asked: Asked) -> Account:
    user = _user(asked)
    if user not in state.ledger.accounts:
        raise BadControl(f"{user} has no account: deposit first")
    return state.ledger.accounts[user]


def _deposit(state: State, asked: Asked) -> dict[str, Any]:
    usd, is_spot = positive(asked, "usd"), flag(asked, "spot")
    account = state.ledger.account(_user(asked))
    if is_spot and not account.mode.is_unified:
        account.spot_usd += usd
    else:
        account.deposit(usd)
    return account_told(state, account)


def _account(state: State, asked: Asked) -> dict[str, Any]:
    """Mode, fee rates, used requests, and whose sub-account it is: what is named is changed."""
    mode, used = asked.get("mode"), asked.get("requestsUsed")
    taker, maker = _rate(asked, "taker"), _rate(asked, "maker")
    master = None if asked.get("master") is None else _user(asked, "master")
    if mode is not None and mode not in list(Mode):
        raise BadControl(f"mode is one of {', '.join(Mode)}, not {mode!r}")
    if used is not None and (isinstance(used, bool) or not isinstance(used, int) or used < 0):
        raise BadControl(f"{used!r} is no number of requests")
    account = state.ledger.account(_user(asked))
    account.mode = Mode(mode) if mode is not None else account.mode
    account.taker_rate = account.taker_rate if taker is None else taker
    account.maker_rate = account.maker_rate if maker is None else maker
    account.requests_used = account.requests_used if used is None else used
    account.master = master or account.master
    if account.mode.is_unified:
        account.deposit(account.spot_usd)
        account.spot_usd = Decimal(0)
    return account_told(state, account)


def _rate(asked: Asked, name: str) -> Decimal | None:
    """A share of the notional; a maker's may be below zero."""
    if asked.get(name) is None:
        return None
    try:
        rate = Decimal(str(asked[name]))
    except InvalidOperation as fault:
        raise BadControl(f"{asked[name]!r} is no rate") from fault
    if not rate.is_finite() or abs(rate) > Decimal("0.1"):
        raise BadControl(f"{asked[name]!r} is no rate")
    return rate


def _agent(state: State, asked: Asked) -> dict[str, Any]:
    """Approve an agent without the user's signature, by the venue's own rules."""
    account, agent = _known(state, asked), _user(asked, "agent")
    why_not = agents.approve(
        state.ledger, account, agent, str(asked.get("name") or ""), state.now_ms()
    )
    if why_not:
        raise BadControl(why_not)
    return account_told(state, account)


def _trade(state: State, control: Control, asked: Asked) -> dict[str, Any]:
    """A market order by the user's own hand."""
    account, coin = _known(state, asked), state.markets.named(control.named(asked))
    assert coin is not None
    is_buy = flag(asked, "buy")
    if is_buy is None:
        raise BadControl("buy is true or false")
    size, reduce_only = positive(asked, "size"), flag(asked, "reduceOnly")
    return {
        "status": forcing.trade(
            state, account, coin, size, is_buy=is_buy, reduce_only=bool(reduce_only)
        )
    }


def _liquidate(state: State, control: Control, asked: Asked) -> dict[str, Any]:
    account, coin = _known(state, asked), state.markets.named(control.named(asked))
    assert coin is not None
    if not account.size(coin):
        raise BadControl(f"{account.address} has no position in {coin.name}")
    forcing.liquidate(state, account, coin)
    return account_told(state, account)


def _depth(state: State, control: Control, asked: Asked) -> dict[str, Any]:
    """The sizes of a coin's only levels on both sides; none is an empty book, null lets go."""
    name, sizes = control.named(asked), asked.get("sizes")
    if sizes is None:
        state.markets.books.sizes.pop(name, None)
        return {"coin": name, "sizes": None}
    if not isinstance(sizes, list) or len(sizes) > _MOST_LEVELS:
        raise BadControl(f"sizes are a list of up to {_MOST_LEVELS}, or null")
    coin = state.markets.named(name)
    assert coin is not None
    whole = tuple(positive({"size": size}, "size") for size in sizes)
    if not all(coin.on_lot(size) for size in whole):
        raise BadControl(f"{name} trades in lots of {coin.lot}")
    state.markets.books.sizes[name] = whole
    return {"coin": name, "sizes": [str(size) for size in whole]}


def _cap(state: State, control: Control, asked: Asked) -> dict[str, Any]:
    """Let a market's open interest grow no more, or again."""
    name = control.named(asked)
    (state.markets.capped.add if flag(asked, "capped") else state.markets.capped.discard)(name)
    return {"capped": sorted(state.markets.capped)}


def _clock(state: State, asked: Asked) -> dict[str, Any]:
    """Move the venue's time, forward or back."""
    try:
        seconds = Decimal(str(asked.get("advance")))
    except InvalidOperation as fault:
        raise BadControl(f"{asked.get('advance')!r} is no number of seconds") from fault
    if not seconds.is_finite() or abs(seconds) > _LONGEST_MOVE_SECONDS:
        raise BadControl(f"{seconds} seconds are too many")
    state.markets.clock.move(float(seconds))
    return {"time": state.now_ms()}


def _lag(state: State, asked: Asked) -> dict[str, Any]:
    """How many seconds late look-ups, fills and positions are; what is not named is on time."""
    late = {name: seconds_of(asked.get(name, 0)) for name in ("orderStatus", "fills", "positions")}
    state.lag = Lag(*(int(each * 1000) for each in late.values()))
    return late


def _forget(state: State) -> dict[str, Any]:
    """An empty venue again: no account, order, fill, nonce or agent."""
    state.ledger = Ledger()
    return ledger_told(state)
