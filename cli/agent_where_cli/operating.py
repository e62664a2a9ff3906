"""What an operator's commands have in common: a deployment's name instead of a URL and a token."""

from collections.abc import Callable
from typing import Annotated, Concatenate

import typer

from agent_where_cli.functions import STACK_SETTING, Functions
from agent_where_cli.session import AsJson, Screen, Timeout, declare, ended

_PATIENCE_SECONDS = 250  # the functions may take 240

Stack = Annotated[
    str | None,
    typer.Option("--stack", envvar=STACK_SETTING, help="The deployment's name."),
]


class Operator(Screen):
    """One run of one command."""

    def __init__(self, functions: Functions, *, as_json: bool) -> None:
        super().__init__(as_json=as_json)
        self.functions = functions


Command = Callable[Concatenate[Operator, ...], None]


def command(of: typer.Typer, name: str) -> Callable[[Command], Command]:
    """Make a function a command of an operator's; its help is the function's docstring."""

    def decorate(function: Command) -> Command:
        def run(
            *,
            as_json: AsJson = False,
            stack: Stack = None,
            timeout: Timeout = _PATIENCE_SECONDS,
            **options: object,
        ) -> None:
            def act() -> None:
                functions = Functions(stack, timeout_seconds=timeout)
                function(Operator(functions, as_json=as_json), **options)

            ended(act, as_json=as_json)

        declare(run, function)
        of.command(name)(run)
        return function

    return decorate
