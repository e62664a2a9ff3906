"""What the router decided, with everything it was decided on; the prose comes from it last."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

from agent_where.domain import VenueId
from agent_where.routing.candidates import RoutingConfig, Verdict
from agent_where.routing.checks import Refused


@dataclass(frozen=True, kw_only=True)
class Decision:
    """Every candidate in rank order: those that passed by score, then the refused ones.

    `refused` is set where the signal itself was turned down and no venue was looked at.
    """

    signal_id: UUID
    token_symbol: str
    requested_venue: VenueId
    config: RoutingConfig
    verdicts: tuple[Verdict, ...]
    refused: Refused | None = None

    @cached_property
    def ranking(self) -> tuple[Verdict, ...]:
        """The candidates that may trade, best first."""
        return tuple(verdict for verdict in self.verdicts if verdict.refusal is None)

    @property
    def selected(self) -> Verdict | None:
        return self.ranking[0] if self.ranking else None

    @cached_property
    def checked(self) -> tuple[Verdict, ...]:
        """The verdicts in priority order."""
        return tuple(sorted(self.verdicts, key=lambda v: self.config.venue_priority.index(v.venue)))

    @property
    def checked_venues(self) -> list[VenueId]:
        return [verdict.venue for verdict in self.checked]

    @property
    def availability(self) -> dict[VenueId, bool]:
        """Which of the checked venues could have traded it."""
        return {verdict.venue: verdict.refusal is None for verdict in self.checked}

    @property
    def skipped_reason(self) -> str | None:
        """Why nothing is traded, or None when something is."""
        if self.refused:
            return f"{self.refused.code}: {self.refused.detail}"
        if self.selected:
            return None
        told = "; ".join(f"{v.venue} ({v.refusal}: {v.detail})" for v in self.verdicts)
        return f"No venue available for {self.token_symbol}. Checked: {told or 'none'}"

    @property
    def reason(self) -> str:
        """One sentence for the audit trail."""
        if self.selected:
            return f"{self.selected.venue}: {self.selected.detail}"
        return self.skipped_reason or ""

    def candidates(self) -> list[dict[str, Any]]:
        """Every candidate with its figures, for the audit trail; numbers as strings."""
        return [told_candidate(verdict) for verdict in self.verdicts]


def told_candidate(verdict: Verdict) -> dict[str, Any]:
    """A verdict for the audit trail; numbers as strings."""
    market = verdict.candidate.market
    return {
        "venue": verdict.venue,
        "refusal": verdict.refusal,
        "detail": verdict.detail,
        "score": None if verdict.score is None else format(verdict.score, "f"),
        "control": verdict.candidate.control,
        "market": market.model_dump(mode="json") if market else None,
    }


def venues_of(candidates: Sequence[Mapping[str, Any]]) -> list[VenueId]:
    """The venues that may trade, best first, from a stored `Decision.candidates`."""
    return [candidate["venue"] for candidate in candidates if candidate["refusal"] is None]
