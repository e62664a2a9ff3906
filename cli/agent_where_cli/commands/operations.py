"""`status`, `positions`, `markets` and `controls`: what stands, and what may trade."""

from collections.abc import Iterator
from typing import Annotated
from uuid import UUID

import typer

from agent_where_cli.answers import Json, items
from agent_where_cli.commands.signals import POSITIONS
from agent_where_cli.faults import Unavailable, Usage
from agent_where_cli.options import MANY, MaxRows, OfAgent, OfToken, OfVenue
from agent_where_cli.session import Session, command
from agent_where_cli.tables import Part, facts, grid, number, prose, text
from agent_where_cli.values import ControlState, PositionStatus, Scope

app = typer.Typer()
controls = typer.Typer(help="Controls: halt trading, or let it only close.")

_FIT = (text("fit to trade", "fit"), text("checked", "checkedAt"))
_CONTROLS = (
    text("scope", "scope"),
    text("id", "id"),
    text("state", "state"),
    text("set", "setAt"),
    text("by", "setBy"),
    text("operator", "byOperator"),
    prose("reason", "reason"),
)
_CONTROL = (
    text("scope", "control.scope"),
    text("id", "control.id"),
    text("state", "control.state"),
    text("reason", "control.reason"),
    text("set", "control.setAt"),
    text("by", "control.setBy"),
    text("operator", "control.byOperator"),
)
_DETAILS = (
    text("fit to trade", "fit"),
    text("reasons", "reasons"),
    text("checked", "checkedAt"),
    text("figures from", "figuresAt"),
    text("queues unavailable", "queues.queuesUnavailable"),
)
_VENUES = (
    text("venue", "venue"),
    number("markets", "markets"),
    text("synced", "lastSynced"),
    number("age, s", "ageSeconds"),
    text("fresh", "fresh"),
)
_ORDERS = (
    number("signals not decided", "orders.undecidedSignals"),
    number("planned orders due", "orders.plannedOrdersDue"),
    number("orders not settled", "orders.unsettledOrders"),
    number("the oldest, s", "orders.oldestUnsettledSeconds"),
    number("open positions", "orders.openPositions"),
    number("positions not expected", "orders.positionsUnexpected"),
    number("positions not explained", "orders.positionsUnexplained"),
    number("positions not protected", "orders.positionsUnprotected"),
    number("stop-losses given up", "orders.stopLossesGivenUp"),
    number("bounds not taken back", "orders.boundsNotTakenBack"),
    number("orders held up", "orders.ordersHeldUp"),
    number("closes overdue", "orders.closesOverdue"),
    number("orders that cannot end", "orders.ordersCannotEnd"),
    number("accounts used up", "orders.accountsUsedUp"),
    number("signers low on gas", "orders.signersLowOnGas"),
)
_QUEUES = (
    number("signals", "queues.signalQueueDepth"),
    number("orders", "queues.orderQueueDepth"),
    number("dead letters", "queues.deadLetters"),
)
_DATABASE = (
    text("version", "database.version"),
    text("migrations", "database.migrations"),
    text("network", "database.network"),
    text("clock skew, ms", "database.clockSkewMs"),
)
_MARKETS = (
    text("venue", "venue"),
    text("token", "tokenSymbol"),
    text("market", "marketName"),
    text("active", "isActive"),
    text("open", "isOpen"),
    number("price, USD", "currentPrice"),
    number("max leverage", "maxLeverage"),
    number("fee, bps", "takerFeeBps"),
    number("least, USD", "minPosition"),
    text("synced", "lastSynced"),
)


@command(app, "status")
def status(
    to: Session,
    *,
    details: Annotated[
        bool, typer.Option("--details", help="With the figures behind it (needs admin).")
    ] = False,
) -> None:
    """Show whether the system is fit to trade; exit code 3 when it is not."""
    if details:
        to.show(to.api.get("/status/details"), details_view)
        return
    try:
        answer = to.api.get("/status", public=True)
    except Unavailable as fault:
        if fault.answer and not to.as_json:
            to.show(fault.answer, fit_view)
        raise
    to.show(answer, fit_view)


@command(app, "positions")
def positions(
    to: Session,
    agent: OfAgent = None,
    deployment: Annotated[
        UUID | None, typer.Option("--deployment", help="Only this deployment's.")
    ] = None,
    state: Annotated[
        PositionStatus | None, typer.Option("--status", case_sensitive=False, help="Only these.")
    ] = None,
    limit: MaxRows = MANY,
) -> None:
    """List positions, the newest first."""
    query = {
        "agentId": agent,
        "deploymentId": deployment,
        "status": state.value if state else None,
    }
    to.show_list(
        to.api.pages("/positions", "positions", limit, query),
        lambda body: [grid(POSITIONS, items(body, "positions"))],
    )


@command(app, "markets")
def markets(to: Session, venue: OfVenue = None, token: OfToken = None) -> None:
    """List what the venues trade, as last synced."""
    query = {"venue": venue, "tokenSymbol": token}
    to.show(
        to.api.get("/venue-markets", query),
        lambda body: [grid(_MARKETS, items(body, "markets"))],
    )


@command(controls, "list")
def list_controls(
    to: Session,
    scope: Annotated[
        Scope | None, typer.Option("--scope", case_sensitive=False, help="Only these.")
    ] = None,
    of_id: Annotated[str | None, typer.Option("--id", help="Only this venue's, agent's...")] = None,
    limit: MaxRows = MANY,
) -> None:
    """List the controls that stand and the newest changes of them."""
    query = {"scope": scope.value if scope else None, "id": of_id}
    to.show_list(to.api.pages("/controls", "controls", limit, query), controls_view)


@command(controls, "set")
def set_control(
    to: Session,
    scope: Annotated[
        Scope,
        typer.Argument(case_sensitive=False, metavar="SCOPE", help=f"One of {', '.join(Scope)}."),
    ],
    target: Annotated[
        list[str],
        typer.Argument(
            metavar="[ID] STATE", help="Whose (not with global); ACTIVE, CLOSE_ONLY or HALTED."
        ),
    ],
    reason: Annotated[str, typer.Option("--reason", help="Kept in the audit trail.")],
) -> None:
    """Halt trading, let it only close, or let it go on."""
    *ids, state = target
    if len(ids) != (0 if scope is Scope.GLOBAL else 1):
        raise Usage("It is `controls set global STATE`, or `controls set SCOPE ID STATE`.")
    if state.upper() not in ControlState.__members__:
        raise Usage(f"The state is one of {', '.join(ControlState)}.")
    of_id = {"id": ids[0].upper() if scope is Scope.VENUE else ids[0]} if ids else {}
    body = {"scope": scope.value, **of_id, "state": state.upper(), "reason": reason}
    to.show(to.api.write("PUT", "/controls", body), control_view)


def fit_view(body: Json) -> Iterator[Part]:
    """Fit or not."""
    yield facts(_FIT, body)


def details_view(body: Json) -> Iterator[Part]:
    """Whether it is fit, and every figure that says so."""
    yield facts(_DETAILS, body)
    yield facts(_DATABASE, body, "Database")
    yield grid(_VENUES, items(body, "venues"), "Venues")
    yield facts(_ORDERS, body, "Orders")
    yield facts(_QUEUES, body, "Queues")
    yield grid(_CONTROLS, items(body, "controls"), "Controls")


def control_view(body: Json) -> Iterator[Part]:
    """The control that stands now."""
    yield facts(_CONTROL, body)


def controls_view(body: Json) -> Iterator[Part]:
    """Those that stand, then the newest changes."""
    yield grid(_CONTROLS, items(body, "controls"), "Standing")
    yield grid(_CONTROLS, items(body, "audit"), "Changes")
