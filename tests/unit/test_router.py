"""The router: every candidate judged, every refusal named, the ranking explained."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_where.domain import ControlState, Refusal, Side, Signal
from agent_where.routing.candidates import Candidate, RoutingConfig
from agent_where.routing.checks import Refused, Terms, market_failures, refusal_of
from agent_where.routing.decision import Decision, venues_of
from agent_where.routing.router import route
from tests.unit.shapes import MAX_AGE, NOW, candidate, market, signal

VENUES = ("FIRST", "SECOND", "THIRD", "FOURTH")


def routed(
    candidates: Sequence[Candidate], wanted: Signal | None = None, *, failover: bool = True
) -> Decision:
    config = RoutingConfig(
        venue_priority=tuple(each.venue for each in candidates), failover_enabled=failover
    )
    return route(wanted or signal(), config, candidates, NOW, max_age=MAX_AGE)


@st.composite
def candidates_of(draw: st.DrawFn, venue: str) -> Candidate:
    """A venue in any state, with its market of the token or without."""
    changes = {
        "is_active": draw(st.booleans()),
        "is_open": draw(st.booleans()),
        "price_usd": draw(st.sampled_from([None, Decimal(1), Decimal(70_000)])),
        "max_leverage": draw(st.sampled_from([Decimal(1), Decimal(3), Decimal(40)])),
        "min_notional_usd": draw(st.sampled_from([Decimal(0), Decimal(10), Decimal(301)])),
        "sides": draw(st.sampled_from([(), ("SHORT",), ("LONG", "SHORT")])),
        "last_synced": draw(st.sampled_from([None, NOW, NOW - timedelta(minutes=61)])),
    }
    healthy = draw(st.booleans())
    return Candidate(
        venue=venue,
        market=draw(st.sampled_from([None, market(venue=venue, **({} if healthy else changes))])),
        supported=draw(st.sampled_from([True, True, False])),
        control=draw(st.sampled_from([ControlState.ACTIVE, *ControlState])),
    )


@st.composite
def universes(draw: st.DrawFn) -> list[Candidate]:
    """Some venues in some order."""
    chosen = draw(st.lists(st.sampled_from(VENUES), min_size=1, unique=True))
    return [draw(candidates_of(venue)) for venue in chosen]


@given(universes())
def test_every_candidate_gets_one_verdict(candidates: list[Candidate]) -> None:
    decision = routed(candidates)

    judged = sorted(decision.verdicts, key=lambda verdict: verdict.venue)
    assert [verdict.candidate for verdict in judged] == sorted(
        candidates, key=lambda each: each.venue
    )


@given(universes())
def test_what_is_told_as_checked_is_what_was_looked_at_in_priority_order(
    candidates: list[Candidate],
) -> None:
    decision = routed(candidates)

    assert decision.checked_venues == [each.venue for each in candidates]
    assert decision.availability == {
        verdict.venue: verdict.refusal is None for verdict in decision.verdicts
    }
    assert list(decision.availability) == decision.checked_venues


@given(universes())
def test_first_available_ranks_in_priority_order_and_the_refused_come_last(
    candidates: list[Candidate],
) -> None:
    decision = routed(candidates)

    passed = [each.venue for each in candidates if decision.availability[each.venue]]
    assert [verdict.venue for verdict in decision.ranking] == passed
    assert decision.verdicts[: len(passed)] == decision.ranking
    assert [verdict.score for verdict in decision.ranking] == sorted(
        verdict.score or Decimal(0) for verdict in decision.ranking
    )


@given(universes())
def test_the_selected_venue_passes_every_check_and_each_refused_one_names_its_code(
    candidates: list[Candidate],
) -> None:
    decision = routed(candidates)
    terms = Terms(signal=signal(), now=NOW, max_age=MAX_AGE)

    for verdict in decision.verdicts:
        refused = refusal_of(terms, verdict.candidate)
        assert verdict.refusal == (refused.code if refused else None)
        assert verdict.detail
    if decision.selected is None:
        assert decision.ranking == ()
        assert decision.skipped_reason is not None
        assert all(f"{each.venue} (" in decision.skipped_reason for each in candidates)
    else:
        assert decision.skipped_reason is None
        assert decision.reason == f"{decision.selected.venue}: {decision.selected.detail}"


@given(universes())
def test_disabling_failover_changes_nothing_about_the_selection(
    candidates: list[Candidate],
) -> None:
    with_it, without = routed(candidates), routed(candidates, failover=False)

    assert with_it.verdicts == without.verdicts
    assert with_it.selected == without.selected


@given(universes())
def test_the_stored_candidates_give_back_the_ranking(candidates: list[Candidate]) -> None:
    decision = routed(candidates)

    assert venues_of(decision.candidates()) == [verdict.venue for verdict in decision.ranking]


BROKEN: dict[str, Any] = {
    "is_active": False,
    "is_open": False,
    "last_synced": NOW - MAX_AGE - timedelta(minutes=1),
    "price_usd": None,
    "sides": (Side.SHORT,),
    "max_leverage": Decimal(2),
    "min_notional_usd": Decimal(301),
}
CHECKS: tuple[tuple[Refusal, str, str], ...] = (
    (Refusal.MARKET_INACTIVE, "is_active", "Market BTC/USD is delisted or inactive"),
    (Refusal.MARKET_CLOSED, "is_open", "Market BTC/USD is closed at this hour"),
    (Refusal.MARKET_STALE, "last_synced", "Market BTC/USD was last synced 61 minutes ago, over 60"),
    (Refusal.NO_PRICE, "price_usd", "Market BTC/USD has no price"),
    (Refusal.SIDE_NOT_SUPPORTED, "sides", "Market BTC/USD takes SHORT now, not LONG"),
    (Refusal.ABOVE_MAX_LEVERAGE, "max_leverage", "Leverage 3 is over the 2 of market BTC/USD"),
    (
        Refusal.BELOW_MIN_POSITION,
        "min_notional_usd",
        "Notional 300 USD is under the 301 USD of market BTC/USD",
    ),
)


@pytest.mark.parametrize(("code", "field", "told"), CHECKS)
def test_each_check_refuses_with_its_code_and_its_figures(
    code: Refusal, field: str, told: str
) -> None:
    decision = routed([candidate(**{field: BROKEN[field]})])

    (verdict,) = decision.verdicts
    assert (verdict.refusal, verdict.detail) == (code, told)
    assert decision.skipped_reason == f"No venue available for BTC. Checked: FIRST ({code}: {told})"


def test_checks_are_made_in_the_order_of_the_design() -> None:
    terms = Terms(signal=signal(), now=NOW, max_age=MAX_AGE)

    failures = [refused.code for refused in market_failures(terms, market(**BROKEN))]

    assert failures == [code for code, _, _ in CHECKS]


@pytest.mark.parametrize("state", [ControlState.CLOSE_ONLY, ControlState.HALTED])
def test_controls_come_before_every_other_check(state: ControlState) -> None:
    halted = Candidate(venue="FIRST", market=None, supported=False, control=state)

    (verdict,) = routed([halted]).verdicts

    assert (verdict.refusal, verdict.detail) == (Refusal(state), f"Trading is {state} here")


def test_a_venue_without_an_adapter_is_refused_before_its_markets_are_looked_at() -> None:
    (verdict,) = routed([Candidate(venue="FIRST", market=None, supported=False)]).verdicts

    assert verdict.refusal is Refusal.VENUE_NOT_SUPPORTED


def test_a_token_that_is_not_listed_is_named() -> None:
    (verdict,) = routed([Candidate(venue="FIRST", market=None)]).verdicts

    assert (verdict.refusal, verdict.detail) == (Refusal.NOT_LISTED, "BTC is not listed")


def test_a_market_never_synced_is_stale() -> None:
    (verdict,) = routed([candidate(last_synced=None)]).verdicts

    assert (verdict.refusal, verdict.detail) == (
        Refusal.MARKET_STALE,
        "Market BTC/USD was never synced",
    )


def test_the_bounds_of_the_checks_are_inclusive() -> None:
    at_the_bounds = candidate(
        last_synced=NOW - MAX_AGE, max_leverage=3, min_notional_usd=300, sides=("LONG",)
    )

    assert routed([at_the_bounds]).selected is not None


def test_a_minimum_is_not_checked_while_the_size_is_not_known() -> None:
    percent = signal(size={"type": "balance-percentage", "value": 5, "leverage": 1})

    assert routed([candidate(min_notional_usd=1_000_000)], percent).selected is not None


@pytest.mark.parametrize(("age", "expired"), [(-1, False), (0, True), (1, True)])
def test_a_signal_expires_at_its_second_and_then_no_venue_is_looked_at(
    age: int, expired: bool
) -> None:
    wanted = signal(expires_at=NOW - timedelta(seconds=age))

    decision = routed([candidate()], wanted)

    assert (decision.selected is None) is expired
    if expired:
        assert decision.refused is not None
        assert decision.refused.code is Refusal.SIGNAL_EXPIRED
        assert (decision.checked_venues, decision.availability) == ([], {})
        assert decision.skipped_reason == f"SIGNAL_EXPIRED: it expired at {wanted.expires_at}"


def test_what_stands_against_the_signal_as_a_whole_is_the_only_reason_told() -> None:
    paused = Refused(code=Refusal.AGENT_NOT_ACTIVE, detail="the agent is PAUSED")

    decision = route(signal(), RoutingConfig(), [candidate()], NOW, max_age=MAX_AGE, refused=paused)

    assert decision.reason == decision.skipped_reason == "AGENT_NOT_ACTIVE: the agent is PAUSED"
    assert decision.checked_venues == []


def test_the_reason_of_an_available_market_is_the_documented_sentence() -> None:
    decision = routed([candidate("HYPERLIQUID"), candidate("OSTIUM", index=None)])

    assert decision.reason == "HYPERLIQUID: Market BTC/USD available (Index: 0)"
    assert decision.verdicts[1].detail == "Market BTC/USD available"


def test_an_empty_priority_list_selects_nothing_and_says_so() -> None:
    assert routed([]).skipped_reason == "No venue available for BTC. Checked: none"
