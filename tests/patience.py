"""How long tests wait for a venue: long, as machines are slow, and briefly for one that hangs."""

from urllib3.util import Timeout

from agent_where.venues._http import JsonHttp

PATIENCE_SECONDS = 30.0
SILENCE_SECONDS = 0.5
_SILENT = frozenset({"hang", "delay"})


class Patient(JsonHttp):
    """A client that waits long until it hears that the venue is to be silent."""

    def __init__(self) -> None:
        super().__init__(read_seconds=PATIENCE_SECONDS)

    def hear(self, told: object) -> None:
        """What a simulator is told as `mode`: where that is silence, nobody waits for it."""
        if told in _SILENT:
            self._read_seconds = SILENCE_SECONDS
            self._timeout = Timeout(connect=SILENCE_SECONDS, read=SILENCE_SECONDS)
