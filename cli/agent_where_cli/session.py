"""What every command has in common: its options, its connection, how it answers and how it fails.

`command` gives a function's command `--json`, `--url`, `--token-file` and `--timeout`, hands it a
`Session`, and turns a `Fault` into one sentence on stderr and an exit code.
"""

import inspect
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Concatenate, TypeVar

import typer

from agent_where_cli import tables
from agent_where_cli.answers import Answer, Json
from agent_where_cli.client import Api
from agent_where_cli.faults import Fault
from agent_where_cli.target import URL_SETTING, target

_INTERRUPTED = 130
_TIMEOUT_SECONDS = 30

AsJson = Annotated[bool, typer.Option("--json", help="Print the API's answer as it is.")]
Url = Annotated[
    str | None,
    typer.Option("--url", envvar=URL_SETTING, help="The API's URL, like https://host/api."),
]
TokenFile = Annotated[
    Path | None,
    typer.Option("--token-file", help="A file with the token, instead of AGENT_WHERE_TOKEN."),
]
Timeout = Annotated[
    int, typer.Option("--timeout", min=1, max=300, help="Seconds to wait for an answer.")
]


class Screen:
    """Where a command's answer goes.

    Args:
        as_json: it is printed as it is, not as tables.
    """

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json

    def show(self, answer: Answer, view: "View") -> None:
        """Print an answer on stdout."""
        if self.as_json:
            typer.echo(answer.raw.rstrip())
        else:
            tables.show(view(answer.body))

    def show_list(self, answer: Answer, view: "View") -> None:
        """The same for a list that may have been cut; stderr says if more follows."""
        self.show(answer, view)
        if answer.body.get("nextCursor") and not self.as_json:
            tell("More follow; --limit asks for more.")


class Session(Screen):
    """One run of one command."""

    def __init__(self, api: Api, *, as_json: bool) -> None:
        super().__init__(as_json=as_json)
        self.api = api


View = Callable[[Json], Iterable[tables.Part]]
Command = Callable[Concatenate[Session, ...], None]
S = TypeVar("S", bound=Screen)


def command(app: typer.Typer, name: str) -> Callable[[Command], Command]:
    """Make a function a command of `app`; its help is the function's docstring."""

    def decorate(function: Command) -> Command:
        def run(
            *,
            as_json: AsJson = False,
            url: Url = None,
            token_file: TokenFile = None,
            timeout: Timeout = _TIMEOUT_SECONDS,
            **options: object,
        ) -> None:
            def act() -> None:
                called = target(url, token_file, os.environ)
                api = Api(called, timeout_seconds=timeout, tell=tell)
                function(Session(api, as_json=as_json), **options)

            ended(act, as_json=as_json)

        declare(run, function)
        app.command(name)(run)
        return function

    return decorate


def tell(sentence: str) -> None:
    """Say something to the person at the terminal, on stderr."""
    typer.echo(f"agent-where: {tables.printable(sentence)}", err=True)


def ended(act: Callable[[], None], *, as_json: bool) -> None:
    """Run a command; its fault becomes a sentence and an exit code."""
    try:
        act()
    except Fault as fault:
        if as_json and fault.answer:
            typer.echo(fault.answer.raw.rstrip())
        tell(str(fault))
        raise typer.Exit(fault.exit_code) from fault
    except KeyboardInterrupt as interrupt:
        raise typer.Exit(_INTERRUPTED) from interrupt


def declare(run: Callable[..., None], function: Callable[Concatenate[S, ...], None]) -> None:
    """Let `run` be read as `function` without its session and with the common options."""
    own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
    common = [
        each
        for each in inspect.signature(run).parameters.values()
        if each.kind is inspect.Parameter.KEYWORD_ONLY
    ]
    named = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in (*own, *common)]
    run.__name__, run.__doc__ = function.__name__, function.__doc__
    run.__annotations__ = {each.name: each.annotation for each in named}
    vars(run)["__signature__"] = inspect.Signature(named)
