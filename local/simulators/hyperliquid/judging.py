"""All that was ever done here, by account: what tests compare a caller's own books with."""

from typing import Any

from local.simulators.hyperliquid import margin
from local.simulators.hyperliquid.accounts import Account
from local.simulators.hyperliquid.figures import ZERO, plain
from local.simulators.hyperliquid.order_reads import full
from local.simulators.hyperliquid.orders import Order
from local.simulators.hyperliquid.reads import extra_agents
from local.simulators.hyperliquid.state import State


def ledger_told(state: State) -> dict[str, Any]:
    """Every account, every admitted action, and how many requests came by path and type."""
    ledger = state.ledger
    return {
        "time": state.now_ms(),
        "accounts": {
            address: account_told(state, account) for address, account in ledger.accounts.items()
        },
        "actions": list(ledger.actions),
        "requests": dict(ledger.requests),
    }


def account_told(state: State, account: Account) -> dict[str, Any]:
    """One account, lag or no lag: orders and fills oldest first, figures as text, USD and coins."""
    ledger = state.ledger
    fills = ledger.fills.of(account.address, state.now_ms())
    whole = margin.whole(account, state.markets.mark)
    return {
        "user": account.address,
        "cashUsd": plain(account.cash_usd),
        "spotUsd": plain(account.spot_usd),
        "depositedUsd": plain(account.deposited_usd),
        "equityUsd": plain(whole.equity),
        "feesUsd": plain(sum((fill.effect.fee for fill in fills), ZERO)),
        "closedPnlUsd": plain(sum((fill.effect.closed_pnl for fill in fills), ZERO)),
        "mode": account.mode,
        "master": account.master,
        "requestsUsed": account.requests_used,
        "agents": extra_agents(state, account.address),
        "positions": {
            held.coin.name: {"size": plain(held.size), "costUsd": plain(held.cost_usd)}
            for held in account.open_positions()
        },
        "orders": [_order(order) for order in ledger.orders.of(account.address)],
        "fills": [fill.told() for fill in fills],
    }


def _order(order: Order) -> dict[str, Any]:
    told = {
        "status": order.status,
        "statusTimestamp": order.status_ms,
        "filledSz": plain(order.filled),
        "filledUsd": plain(order.filled_usd),
    }
    return full(order) | told
