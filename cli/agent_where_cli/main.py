"""`agent-where`: the HTTP API of Agent Where from a terminal.

Exit codes: 0 done, 1 the API refused or the doctor found a fault, 2 not asked in a way that can be
sent, 3 unavailable.
"""

from typing import Any

import typer
from typer.core import TyperGroup

from agent_where_cli.commands import agents, operations, operator, routing, setup, signals

_HELP = """Which venue trades a signal, and what became of it.

AGENT_WHERE_URL and AGENT_WHERE_TOKEN say where the API is and who asks. Exit codes: 0 done, 1 the
API refused, 2 wrong usage, 3 unavailable. setup, doctor, restored, unowned, held and redrive are an
operator's: they ask AWS, and AGENT_WHERE_STACK names the deployment.
"""


class Lists(TyperGroup):
    """A group that lists when it is not told what to do."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 typer hides its type
        """As asked, with `list` put where no command stands."""
        named = [arg for arg in args[:1] if not arg.startswith("-") or arg == "--help"]
        return super().parse_args(ctx, args if named else ["list", *args])


app = typer.Typer(
    name="agent-where",
    help=_HELP,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(routing.config, name="config", no_args_is_help=True)
app.add_typer(routing.app)
app.add_typer(signals.app, name="signal", no_args_is_help=True)
app.add_typer(operations.app)
app.add_typer(setup.app)
app.add_typer(agents.agents, name="agents", cls=Lists)
app.add_typer(agents.app)
app.add_typer(agents.deployments, name="deployments", no_args_is_help=True)
app.add_typer(operations.controls, name="controls", cls=Lists)
app.add_typer(operator.app)
app.add_typer(operator.unowned, name="unowned", cls=Lists)
app.add_typer(operator.held, name="held", cls=Lists)
