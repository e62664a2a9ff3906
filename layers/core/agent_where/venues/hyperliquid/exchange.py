"""The venue's exchange endpoint: stored bytes go out, and what came back is told apart.

A send differs from a read: only where nothing left this process is it VenueUnavailable. There are
no retries here.
"""

import logging
from typing import Final

from agent_where.domain import Refusal
from agent_where.errors import OutcomeUnknown, VenueRejected, VenueUnavailable
from agent_where.venues._http import BadAnswer, JsonHttp, NoAnswer, NotSent
from agent_where.venues.base import Action
from agent_where.venues.hyperliquid.answers import plain
from agent_where.venues.hyperliquid.budget import CODE, Budget
from agent_where.venues.hyperliquid.markets import VENUE
from agent_where.venues.hyperliquid.refusals import is_not_read
from agent_where.venues.hyperliquid.replies import UNKNOWN, USED_UP, Admitted, admitted
from agent_where.venues.tally import Said, Tally

logger = logging.getLogger(__name__)

_WEIGHT: Final = 1
_TOO_MANY: Final = 429


class Exchange:
    """Sends.

    Args:
        url: the API's base, without `/exchange`.
        tally: counts the accounts of which the venue takes no more.
    """

    def __init__(self, url: str, http: JsonHttp, budget: Budget, tally: Tally) -> None:
        self._url = f"{url.rstrip('/')}/exchange"
        self._http = http
        self._budget = budget
        self._tally = tally

    def send(self, action: Action) -> Admitted:
        """Send the bytes once.

        Raises:
            VenueRejected: refused in words that the venue documents.
            VenueUnavailable: nothing left this process.
            OutcomeUnknown: it may have been carried out.
        """
        self._budget.send(_WEIGHT)
        try:
            answer = self._http.post(self._url, action.payload)
        except NotSent as fault:
            raise VenueUnavailable(VENUE, str(fault), code="VENUE_UNAVAILABLE") from fault
        except NoAnswer as fault:
            raise OutcomeUnknown(VENUE, str(fault), code=UNKNOWN) from fault
        except BadAnswer as fault:
            raise self._meant(fault) from fault
        try:
            return admitted(action.kind, answer)
        except VenueRejected as refused:
            if refused.code == USED_UP:
                self._tally.add(VENUE, Said.REQUESTS_USED_UP)
            raise

    def _meant(self, fault: BadAnswer) -> VenueRejected | OutcomeUnknown:
        if is_not_read(fault.status, fault.body):
            words = plain(fault.body.decode("utf-8", "replace"))
            logger.error("%s did not understand a request: %s", VENUE, words)
            return VenueRejected(VENUE, words, code=Refusal.VENUE_REFUSED)
        if fault.status == _TOO_MANY:
            self._budget.refused()
            return OutcomeUnknown(VENUE, str(fault), code=CODE)
        return OutcomeUnknown(VENUE, str(fault), code=UNKNOWN)
