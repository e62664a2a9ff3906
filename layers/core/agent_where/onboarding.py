"""How an account comes to a key that may trade for it, at the venues where orders are signed.

A user has one key at a venue, which all the user's deployments share. It is made here and never
leaves KMS; the user approves it in their own wallet; the venue is asked whether they did. What they
sign is shown with a deployment, and nothing is posted for them.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from agent_where.callers import Reach
from agent_where.contract.owned import DeploymentAnswer
from agent_where.domain import Model, VenueId
from agent_where.errors import (
    BadSetting,
    DatabaseRefused,
    SignerUnavailable,
    Unavailable,
    VenueError,
)
from agent_where.store.accounts import Accounts, Lacking, Signing
from agent_where.store.views import Views
from agent_where.venues.approvals import Approvals, Purse

if TYPE_CHECKING:
    from agent_where.execution.keys import Keys

_logger = logging.getLogger(__name__)

KEYS_A_RUN = 10
CHECKS_A_RUN = 10
"""So few that what a venue allows to be asked is left to trading. Half are for live keys."""


class Onboarding:
    """Gives accounts their keys.

    Args:
        venues: where keys sign; none: on paper.
        network: goes on the keys' tags.
        keys: called when a key is first made.
    """

    def __init__(
        self,
        accounts: Accounts,
        views: Views,
        *,
        venues: frozenset[VenueId],
        network: str,
        keys: Callable[[], "Keys"],
    ) -> None:
        self.venues = tuple(sorted(venues))
        self._accounts = accounts
        self._views = views
        self._network = network
        self._keys = keys

    def complete(self, answer: DeploymentAnswer, reach: Reach) -> DeploymentAnswer:
        """The deployment with a key for each account that needs one.

        It is stored already: where no key can be made now, it is answered without, and reconcile
        makes one later.
        """
        lacking = {
            each.account
            for each in answer.deployment.accounts
            if each.venue in self.venues and each.signer_address is None
        }
        if not lacking:
            return answer
        try:
            for account in lacking:
                self.give_keys(len(self.venues), account=account)
            return self._views.deployment(reach, answer.deployment.id)
        except Unavailable as error:
            _logger.warning("deployment %s is without a key: %s", answer.deployment.id, error)
            return answer

    def give_keys(
        self,
        at_most: int,
        *,
        account: str | None = None,
        in_time: Callable[[], bool] = lambda: True,
    ) -> int:
        """How many accounts got their signer. What fails once would fail again: the rest waits.

        Args:
            account: only this user's; None: everybody's.
            in_time: whether there is time for another.

        Raises:
            DatabaseUnavailable: a later run does it again.
        """
        given = 0
        for _ in range(at_most):
            of = self._accounts.claim_key(self.venues, account) if in_time() else None
            if of is None:
                break
            try:
                given += self._give_key(of)
            except SignerUnavailable as error:
                _logger.warning("no key for %s at %s now: %s", of.account, of.venue, error)
                break
            except BadSetting as error:
                _logger.error("no key for %s at %s: %s", of.account, of.venue, error)  # noqa: TRY400 its sentence says it all
                break
        return given

    def _give_key(self, of: Lacking) -> bool:
        key_ref = of.key_ref or self._new_key(of)
        if key_ref is None:
            return False
        address = self._keys().address(key_ref)
        try:
            return self._accounts.keep_signer(of, key_ref, address)
        except DatabaseRefused as error:
            if not error.is_about_the_data:
                raise
            _logger.error("no key for %s: %s signs for another account", of.account, key_ref)  # noqa: TRY400 its sentence says it all
            return False

    def _new_key(self, of: Lacking) -> str | None:
        """A key made, told in the log so that it is found whatever follows, and stored."""
        tags = {
            "agent-where:account": of.account,
            "agent-where:venue": of.venue,
            "agent-where:network": self._network,
        }
        key_ref = self._keys().make(tags)
        _logger.info("made %s for %s at %s", key_ref, of.account, of.venue)
        if self._accounts.keep_key(of, key_ref):
            return key_ref
        _logger.error(
            "%s has another key at %s: schedule the deletion of %s", of.account, of.venue, key_ref
        )
        return None


class Tended(Model):
    """What one run did: keys made, signers asked about, signers that will never trade again."""

    keys_made: int
    approvals_checked: int
    keys_retired: int


@dataclass(frozen=True)
class Watched:
    """Whose word on keys counts.

    Args:
        venues: where keys sign, also where nothing is opened any more; none: on paper.
        ends_for_good: the venues where an ended approval cannot be given to the same key again.
        least_gas: what a key should have for its transactions, in ether.
        approvals: called when a venue is first asked.
        purse: None where a venue takes no gas.
    """

    venues: frozenset[VenueId]
    ends_for_good: frozenset[VenueId]
    least_gas: Decimal
    approvals: Callable[[VenueId], Approvals]
    purse: Callable[[VenueId], Purse | None]


class Tending:
    """Makes the keys that are missing, and sees which may trade."""

    def __init__(self, onboarding: Onboarding, accounts: Accounts, watched: Watched) -> None:
        self._onboarding = onboarding
        self._accounts = accounts
        self._watched = watched

    def tend(self, *, seconds: float, clock: Callable[[], float] = time.monotonic) -> Tended:
        """One run, for at most about `seconds`.

        Raises:
            DatabaseUnavailable: the next run does it again.
        """
        until = clock() + seconds
        made = checked = retired = 0
        if self._onboarding.venues:
            made = self._onboarding.give_keys(KEYS_A_RUN, in_time=lambda: clock() < until)
        if self._watched.venues:
            checked, retired = self._check(lambda: clock() < until)
        return Tended(keys_made=made, approvals_checked=checked, keys_retired=retired)

    def _check(self, in_time: Callable[[], bool]) -> tuple[int, int]:
        """A venue that does not answer is left alone until the next run, the others are not."""
        checked = retired = 0
        venues = sorted(self._watched.venues)
        for turn in range(CHECKS_A_RUN):
            new_first = turn % 2 == 0
            of = self._accounts.claim_check(venues, new_first=new_first) if in_time() else None
            if of is None:
                break
            try:
                until = self._watched.approvals(of.venue).approval(of.account, of.signer_address)
                is_low = self._is_low_on_gas(of, until)
            except VenueError as error:
                _logger.warning("nobody knows who may trade for %s: %s", of.account, error)
                venues.remove(of.venue)
                continue
            checked += 1
            is_over = self._accounts.store_approval(of, until, low_on_gas=is_low)
            if is_over and of.venue in self._watched.ends_for_good:
                retired += self._retire(of)
        return checked, retired

    def _is_low_on_gas(self, of: Signing, until: datetime | None) -> bool:
        """Whether a key that may trade soon cannot pay for it. Raises VenueUnavailable."""
        purse = self._watched.purse(of.venue)
        if until is None or purse is None:
            return False
        gas = purse.gas(of.signer_address)
        if gas < self._watched.least_gas:
            _logger.warning("%s has %s ETH left for gas at %s", of.signer_address, gas, of.venue)
        return gas < self._watched.least_gas

    def _retire(self, of: Signing) -> bool:
        key_ref = self._accounts.retire_key(of)
        if key_ref is None:
            return False
        _logger.warning(
            "%s may trade for %s at %s no more, which gets another key: schedule its deletion",
            key_ref,
            of.account,
            of.venue,
        )
        return True
