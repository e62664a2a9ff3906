"""One line a step with its seconds; on a terminal they count while it runs."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

Step = Callable[[str], AbstractContextManager[None]]


def steps(console: Console) -> Step:
    """What tells a step's beginning, its passing seconds and its end."""

    @contextmanager
    def step(doing: str) -> Iterator[None]:
        began = time.monotonic()
        if not console.is_terminal:
            console.print(f"  {doing} ...")
        columns = (TextColumn(" "), SpinnerColumn(), TextColumn("{task.description}"))
        bar = Progress(
            *columns,
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        with bar:
            bar.add_task(doing, total=None)
            yield
        console.print(f"  {doing}: {time.monotonic() - began:.1f} s", highlight=False)

    return step
