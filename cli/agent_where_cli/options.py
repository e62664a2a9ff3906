"""Arguments and options that commands share, and those of a signal."""

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

import typer

from agent_where_cli import values
from agent_where_cli.values import Names, Side

MANY = 100
"""How many rows a list has unless told."""

AgentId = Annotated[UUID, typer.Option("--agent", help="The agent's id.")]
OfAgent = Annotated[UUID | None, typer.Option("--agent", help="The agent's id.")]
Token = Annotated[str, typer.Argument(metavar="TOKEN", help="A canonical token, like BTC.")]
OfToken = Annotated[str | None, typer.Option("--token", help="Only this token, like BTC.")]
OfVenue = Annotated[
    str | None, typer.Option("--venue", parser=str.upper, metavar="NAME", help="Only this venue.")
]
LongOrShort = Annotated[
    Side, typer.Argument(case_sensitive=False, metavar="SIDE", help="LONG or SHORT.")
]
MaxRows = Annotated[int, typer.Option("--limit", min=1, max=10_000, help="The most rows to read.")]
Venues = Annotated[
    Names,
    typer.Option("--venues", parser=values.venues, metavar="NAME,NAME", help="Where to trade."),
]

SignalId = Annotated[
    UUID | None, typer.Option("--id", help="The signal's id; a new one unless told.")
]
Percent = Annotated[
    str | None,
    typer.Option(
        "--percent",
        parser=values.number,
        metavar="PERCENT",
        help="Collateral, in percent of what each follower has free at the venue.",
    ),
]
Usdc = Annotated[
    str | None,
    typer.Option("--usdc", parser=values.number, metavar="USDC", help="Collateral, in USDC."),
]
Leverage = Annotated[
    str | None,
    typer.Option("--leverage", parser=values.number, metavar="TIMES", help="1 unless told."),
]
StopLoss = Annotated[
    str | None,
    typer.Option(
        "--stop-loss",
        parser=values.number,
        metavar="FRACTION",
        help="Close at this loss; 0.05 is 5 % of the entry price.",
    ),
]
TakeProfit = Annotated[
    str | None,
    typer.Option(
        "--take-profit",
        parser=values.number,
        metavar="FRACTION",
        help="Close at this gain, a fraction of the entry price.",
    ),
]
MaxSlippage = Annotated[
    str | None,
    typer.Option(
        "--max-slippage",
        parser=values.number,
        metavar="FRACTION",
        help="How much worse than the price it may fill; 0.01 unless told.",
    ),
]
AtVenue = Annotated[
    str | None,
    typer.Option("--venue", parser=str.upper, metavar="NAME", help="The agent's unless told."),
]
ExpiresIn = Annotated[
    timedelta | None,
    typer.Option(
        "--expires-in",
        parser=values.span,
        metavar="SPAN",
        help="30s, 5m or 2h from when its id was made; 5m unless told.",
    ),
]
ExpiresAt = Annotated[
    datetime | None,
    typer.Option("--expires-at", parser=values.moment, metavar="TIME", help="The same as a time."),
]
