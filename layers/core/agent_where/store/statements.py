"""Statements by name: the text of `sql/<name>.sql`, its parameters, and what its rows are."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from agent_where.domain import Order, Settled
from agent_where.messages import SignalMessage
from agent_where.store.connection import Json, Row, Statement
from agent_where.store.plans import Failover, NextExit
from agent_where.store.records import OrderTicket
from agent_where.venues.base import Action

_FOLDER = Path(__file__).parent / "sql"


@cache
def sql(name: str) -> str:
    """The statement of that name."""
    return (_FOLDER / f"{name}.sql").read_text(encoding="utf-8")


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
