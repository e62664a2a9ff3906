"""`signal`: send one, close what is held, see where a trade is."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

import typer

from agent_where_cli import signal_ids, values
from agent_where_cli.answers import Json, items
from agent_where_cli.faults import Unavailable, Usage
from agent_where_cli.options import (
    AgentId,
    AtVenue,
    ExpiresAt,
    ExpiresIn,
    Leverage,
    LongOrShort,
    MaxSlippage,
    Percent,
    SignalId,
    StopLoss,
    TakeProfit,
    Token,
    Usdc,
)
from agent_where_cli.session import Session, command, tell
from agent_where_cli.tables import Part, facts, grid, number, prose, text
from agent_where_cli.values import Side

app = typer.Typer(help="Send signals and see what became of them.")

_SENT = (text("signal", "signalId"), text("taken in", "success"))
_SIGNAL = (
    text("signal", "signal.signalId"),
    text("agent", "signal.agentId"),
    text("token", "signal.tokenSymbol"),
    text("side", "signal.side"),
    text("action", "signal.action"),
    text("asked", "signal.requestedVenue"),
    text("venue", "signal.venue"),
    text("size", "signal.sizeModel"),
    text("risk", "signal.riskModel"),
    text("created", "signal.createdAt"),
    text("expires", "signal.expiresAt"),
    text("received", "signal.receivedAt"),
    text("decided", "signal.decidedAt"),
    text("skipped", "signal.skippedReason"),
)
_DECISIONS = (
    text("at", "createdAt"),
    number("attempt", "attempt"),
    text("asked", "requestedVenue"),
    text("venue", "selectedVenue"),
    text("strategy", "strategy"),
    prose("available", "venueAvailability"),
    text("deployment", "deploymentId"),
    prose("reason", "routingReason"),
)
_ORDERS = (
    text("order", "id"),
    text("purpose", "purpose"),
    text("leg", "leg"),
    number("attempt", "attempt"),
    text("venue", "venue"),
    text("market", "marketName"),
    text("side", "side"),
    text("status", "status"),
    number("size", "size"),
    number("limit price", "limitPrice"),
    number("trigger price", "triggerPrice"),
    number("filled", "filledSize"),
    number("average price", "averagePrice"),
    number("fee, USD", "feeUsd"),
    text("refused", "refusal"),
    prose("detail", "detail"),
)
_FILLS = (
    text("order", "orderId"),
    text("venue", "venue"),
    number("size", "size"),
    number("price", "price"),
    number("fee", "fee"),
    text("in", "feeToken"),
    text("at", "at"),
)
POSITIONS = (
    text("position", "id"),
    text("status", "status"),
    text("venue", "venue"),
    text("token", "tokenSymbol"),
    text("side", "side"),
    number("size", "qty"),
    number("open", "openQty"),
    number("entry price", "entryPrice"),
    number("exit price", "exitPrice"),
    number("leverage", "leverage"),
    number("stop loss", "stopLoss"),
    number("take profit", "takeProfit"),
    number("pnl, USD", "pnl"),
    number("fees, USD", "feesUsd"),
    text("opened", "openedAt"),
    text("closed", "closedAt"),
    text("why", "exitReason"),
    text("deployment", "deploymentId"),
)


@command(app, "send")
def send(
    to: Session,
    agent: AgentId,
    token: Token,
    side: LongOrShort,
    percent: Percent = None,
    usdc: Usdc = None,
    leverage: Leverage = None,
    stop_loss: StopLoss = None,
    take_profit: TakeProfit = None,
    max_slippage: MaxSlippage = None,
    venue: AtVenue = None,
    signal_id: SignalId = None,
    expires_in: ExpiresIn = None,
    expires_at: ExpiresAt = None,
) -> None:
    """Open a position for every follower of an agent."""
    if (percent is None) == (usdc is None):
        raise Usage("A signal has one size: give --percent or --usdc.")
    if expires_in and expires_at:
        raise Usage("A signal expires once: give --expires-in or --expires-at.")
    told_id = signal_id or signal_ids.new_id()
    size_type = "fixed-usdc" if percent is None else "balance-percentage"
    size = {"type": size_type, "value": percent or usdc, "leverage": leverage}
    risk = {"stopLoss": stop_loss, "takeProfit": take_profit, "maxSlippage": max_slippage}
    expiry = expires_at or _after(expires_in, told_id)
    body = {
        **_identity(told_id, agent, token),
        "side": side.value,
        "venue": venue,
        "sizeModel": values.given(size),
        "riskModel": values.given(risk) or None,
        "expiresAt": values.iso(expiry) if expiry else None,
    }
    anchored = expires_in is None or signal_ids.made_at(told_id) is not None
    again = (
        ""
        if anchored or not expiry
        else f", and --expires-at {values.iso(expiry)} for --expires-in,"
    )
    _post(to, told_id, values.given(body), again)


@command(app, "close")
def close(
    to: Session,
    agent: AgentId,
    token: Token,
    side: Annotated[
        Side | None, typer.Option("--side", case_sensitive=False, help="Only what is held so.")
    ] = None,
    signal_id: SignalId = None,
) -> None:
    """Close what an agent's followers hold in a token, wherever they hold it."""
    told_id = signal_id or signal_ids.new_id()
    body = {
        **_identity(told_id, agent, token),
        "action": "CLOSE",
        "side": side.value if side else None,
    }
    _post(to, told_id, values.given(body))


@command(app, "show")
def show(to: Session, signal_id: Annotated[UUID, typer.Argument(metavar="ID")]) -> None:
    """Show where a trade is: the signal's decisions, orders, fills and positions."""
    to.show(to.api.get(f"/signals/{signal_id}"), signal_view)


def signal_view(body: Json) -> Iterator[Part]:
    """The signal, then all that came of it."""
    yield facts(_SIGNAL, body)
    yield grid(_DECISIONS, items(body, "decisions"), "Decisions")
    yield grid(_ORDERS, items(body, "orders"), "Orders")
    yield grid(_FILLS, items(body, "fills"), "Fills")
    yield grid(POSITIONS, items(body, "positions"), "Positions")
    if body.get("truncated"):
        yield facts((text("truncated", "truncated"),), body)


def _post(to: Session, signal_id: UUID, body: Json, and_with: str = "") -> None:
    """Send a signal; whatever happens, its id is known before."""
    again = f"The same command with --id {signal_id}{and_with} is safe to repeat."
    to.api.target.authorization()
    tell(f"signal {signal_id}")
    try:
        answer = to.api.post_again("/signals", body)
    except Unavailable as fault:
        fault.advice = again
        raise
    except KeyboardInterrupt:
        tell(again)
        raise
    to.show(answer, lambda told: [facts(_SENT, told)])


def _identity(signal_id: UUID, agent: UUID, token: str) -> Json:
    """What every signal begins with; the time is the id's, so that a repeat says the same."""
    made = signal_ids.made_at(signal_id)
    return {
        "signalId": str(signal_id),
        "agentId": str(agent),
        "tokenSymbol": token,
        "createdAt": values.iso(made) if made else None,
    }


def _after(span: timedelta | None, signal_id: UUID) -> datetime | None:
    return (signal_ids.made_at(signal_id) or datetime.now(UTC)) + span if span else None
