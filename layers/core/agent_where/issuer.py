"""The issuer's keys: fetched over HTTP when needed, kept a while, and outliving its absence.

An id that is not among the keys makes it ask again at once, so a rotation is followed, but seldom
enough that tokens with ids at random cannot hammer the issuer. What a key may be is jwks.py's.
"""

import logging
import math
from collections.abc import Callable, Mapping
from functools import partial

from agent_where.errors import Unavailable
from agent_where.jwks import NoKeySet, VerifyingKey, verifying_keys
from agent_where.venues._http import HttpFault, JsonHttp

FRESH_SECONDS = 5 * 60
USABLE_SECONDS = 60 * 60
PAUSE_SECONDS = 10
PAUSE_WITHOUT_KEYS_SECONDS = 1
CONNECT_SECONDS = 1.0
READ_SECONDS = 2.0
MAX_DOCUMENT_BYTES = 256 * 1024

_logger = logging.getLogger(__name__)
_NEVER = -math.inf


class IssuerKeys:
    """The keys of one issuer, asked for when first needed.

    Args:
        fetch: reads the key set, as JSON; may raise HttpFault.
        clock: seconds since 1970.
    """

    def __init__(self, fetch: Callable[[], object], clock: Callable[[], float]) -> None:
        self._fetch = fetch
        self._clock = clock
        self._keys: Mapping[str, VerifyingKey] = {}
        self._fetched_at = _NEVER
        self._asked_at = _NEVER
        self._answered = False

    @classmethod
    def at(cls, url: str, clock: Callable[[], float]) -> "IssuerKeys":
        """The keys at a URL, each fetch on a connection of its own and over in about 3 s."""
        return cls(partial(_document, url), clock)

    def find(self, key_id: str) -> VerifyingKey | None:
        """The key of that id, None if the issuer has none.

        Raises:
            Unavailable: the issuer cannot be asked, and nothing that is held tells.
        """
        now = self._clock()
        fresh = _within(FRESH_SECONDS, self._fetched_at, now)
        if not (fresh and key_id in self._keys) and not self._asked_lately(now):
            self._ask(now)
        if not _within(USABLE_SECONDS, self._fetched_at, now):
            raise Unavailable("the issuer's keys cannot be read, and none are held")
        key = self._keys.get(key_id)
        if key is None and not self._answered:
            raise Unavailable("the issuer cannot be asked about a key that is not held")
        return key

    def _asked_lately(self, now: float) -> bool:
        held = _within(USABLE_SECONDS, self._fetched_at, now)
        pause = PAUSE_SECONDS if held else PAUSE_WITHOUT_KEYS_SECONDS
        return _within(pause, self._asked_at, now)

    def _ask(self, now: float) -> None:
        try:
            self._keys = verifying_keys(self._fetch())
        except (HttpFault, NoKeySet) as fault:
            self._answered = False
            _logger.warning("the issuer's keys cannot be read: %s", fault)
        else:
            self._answered = True
            self._fetched_at = now
            if not self._keys:
                _logger.warning("the issuer's key set has no key that tokens may be verified with")
        self._asked_at = self._clock()


def _within(seconds: float, since: float, now: float) -> bool:
    """Whether it was less than that ago; a time that is still to come says that clocks jumped."""
    return 0 <= now - since < seconds


def _document(url: str) -> object:
    client = JsonHttp(
        connect_seconds=CONNECT_SECONDS,
        read_seconds=READ_SECONDS,
        max_answer_bytes=MAX_DOCUMENT_BYTES,
    )
    return client.get(url)
