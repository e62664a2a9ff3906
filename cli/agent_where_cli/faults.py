"""What ends a command early, each with its sentence and the exit code it means.

::

    Fault
    ├── Usage         2  asked in a way that cannot be sent
    ├── Refused       1  the API says no (4xx)
    └── Unavailable   3  no connection, no answer, no JSON, or the API is unavailable (5xx)
"""

from typing import ClassVar

from agent_where_cli.answers import Answer


class Fault(Exception):
    """A command did not do what was asked.

    Args:
        sentence: for a person; never holds the token.
        answer: what the API said, if it was a JSON object.
    """

    exit_code: ClassVar[int]

    def __init__(self, sentence: str, answer: Answer | None = None) -> None:
        super().__init__(sentence)
        self.answer = answer
        self.advice = ""

    def __str__(self) -> str:
        return f"{super().__str__()} {self.advice}".strip()


class Usage(Fault):
    """Nothing was sent."""

    exit_code = 2


class Refused(Fault):
    """The same request would be refused again."""

    exit_code = 1


class Unavailable(Fault):
    """A later repeat may succeed.

    Args:
        retry_seconds: when a request that may come twice is worth a retry; None: it is not.
        sent: False only where nothing has left this machine.
    """

    exit_code = 3

    def __init__(
        self,
        sentence: str,
        answer: Answer | None = None,
        *,
        retry_seconds: int | None = None,
        sent: bool = True,
    ) -> None:
        super().__init__(sentence, answer)
        self.retry_seconds = retry_seconds
        self.sent = sent
