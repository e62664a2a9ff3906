"""Statements by name: the text of `sql/<name>.sql`, its parameters, and what its rows are."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from agent_where.domain import Order, Purpose, Settled
from agent_where.messages import SignalMessage
from agent_where.store.connection import Json, Often, Row, Statement
from agent_where.store.plans import Ending, Failover, NextExit
from agent_where.store.records import OrderTicket
from agent_where.venues.base import Action

_FOLDER = Path(__file__).parent / "sql"

_OFTEN = frozenset(
    {
        "accept_order",
        "close_dust",
        "decide_signal",
        "end_filled",
        "end_without_fills",
        "insert_fills",
        "insert_signal",
        "mark_sent",
        "open_position",
        "paper_collateral",
        "plan_exits",
        "plan_next_exit",
        "read_order",
        "read_signal",
        "reduce_position",
        "release_lease",
        "share_agent_token",
        "take_lease",
        "void_exits",
        "wake_resting",
        "wake_waiting",
    }
)
"""What every signal and order runs; each finds its rows by ids, so that one plan suits all."""


@cache
def sql(name: str) -> str:
    """The statement of that name."""
    text = (_FOLDER / f"{name}.sql").read_text(encoding="utf-8")
    return Often(text) if name in _OFTEN else text


def statement(name: str, /, **params: object) -> Statement:
    """The statement of that name with its parameters, to be run with others."""
    return sql(name), params


def signal_params(message: SignalMessage) -> dict[str, object]:
    """The parameters of `insert_signal`."""
    size = message.size_model
    return {
        "id": message.signal_id,
        "agent_id": message.agent_id,
        "token_symbol": message.token_symbol,
        "venue": message.venue,
        "action": message.action,
        "side": message.side,
        "size_model": size.model_dump(mode="json", by_alias=True) if size else None,
        "risk_model": message.risk_model.model_dump(mode="json", by_alias=True, exclude_none=True),
        "created_at": message.created_at,
        "expires_at": message.expires_at,
        "body_hash": message.body_hash,
    }


def action_params(action: Action) -> dict[str, object]:
    """The parameters that every statement which stores an action takes."""
    stored = {"payload", "expires_at", "nonce", "signer_address", "is_counted", "tx_hash"}
    return action.model_dump(include=stored)


def end_params(order: Order, settled: Settled) -> dict[str, object]:
    """The parameters of `end_without_fills`."""
    return {
        "id": order.id,
        "of_status": order.status,
        "status": settled.status,
        "refusal": settled.code or None,
        "detail": settled.detail,
        "fee_usd": settled.fee_usd,
    }


def opened(order: Order, settled: Settled, ending: Ending) -> list[Statement]:
    """What follows a filled entry: its position, and the exits that wait for it."""
    position = statement(
        "open_position",
        id=order.id,
        stop_loss=ending.stop_loss,
        take_profit=ending.take_profit,
        position_ref=settled.position_ref,
        carries_bounds=ending.carries_bounds,
    )
    if not ending.exits:
        return [position]
    exits = Json([each.model_dump() for each in ending.exits])
    return [position, statement("plan_exits", id=order.id, exits=exits)]


def reduced(order: Order, _: Settled, ending: Ending) -> list[Statement]:
    """What follows a filled exit: what is left of its position, and of the other exits."""
    return [
        statement("reduce_position", id=order.id),
        *next_exit(order, ending.next_exit),
        statement("void_exits", id=order.id),
        statement("wake_resting", id=order.id),
    ]


def dusted(order: Order) -> list[Statement]:
    """What may follow an exit without fills: a position ends whose rest is too small to sell."""
    if order.purpose is Purpose.ENTRY:
        return []
    return [statement("close_dust", id=order.id), statement("void_exits", id=order.id)]


def failover(order: Order, planned: Failover | None) -> list[Statement]:
    """What follows a refused entry, if anything does."""
    if planned is None:
        return []
    told = planned.model_dump() | {"candidates": Json(planned.candidates)}
    return [statement("fail_over", id=order.id, **told)]


def next_exit(order: Order, planned: NextExit | None) -> list[Statement]:
    """The exit that tries again, if one does."""
    if planned is None:
        return []
    return [statement("plan_next_exit", id=order.id, **planned.model_dump())]


def tickets(rows: Sequence[Row]) -> list[OrderTicket]:
    """The orders among the rows that are due."""
    return [
        OrderTicket(
            id=row["id"],
            account=row["account"],
            venue=row["venue"],
            again=row.get("again", False),
        )
        for row in rows
        if row.get("due")
    ]
