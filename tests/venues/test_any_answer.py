"""Whatever a venue answers, its parser gives markets or says VenueUnavailable: nothing else."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_where.errors import VenueUnavailable
from agent_where.venues.hyperliquid.markets import parse as parse_hyperliquid
from agent_where.venues.ostium.markets import parse as parse_ostium
from local.simulators.hyperliquid import HyperliquidSimulator
from local.simulators.ostium import OstiumSimulator
from tests.venues.sources import ask

NOW = datetime(2026, 1, 14, 15, tzinfo=UTC)
QUERY = """{ pairs(first: 3) { id from to feed maxLeverage overnightMaxLeverage takerFeeP longOI
    shortOI maxOI lastTradePrice group { name maxLeverage } fee { minLevPos } } }"""
FIGURES = st.one_of(
    st.integers(),
    st.integers(min_value=-(10**400), max_value=10**400),
    st.decimals(),
    st.decimals().map(str),
    st.sampled_from(["1e999999", "1e-999999", "-0", "0x1", " 1 ", "1_000", "9" * 200]),
)
TEXT = st.text(st.characters(codec=None), max_size=40)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), FIGURES, TEXT),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(TEXT, below, max_size=3),
    max_leaves=6,
)


def hyperliquid_answer() -> list[Any]:
    simulator = HyperliquidSimulator(lambda: NOW)
    meta, contexts = ask(simulator, "POST", "/info", {"type": "metaAndAssetCtxs"})
    return [{**meta, "universe": meta["universe"][:3]}, contexts[:3]]


def ostium_answer() -> list[Any]:
    simulator = OstiumSimulator(lambda: NOW)
    graph = ask(simulator, "POST", "/subgraph", {"query": QUERY})
    return [graph, ask(simulator, "GET", "/PricePublish/latest-prices")[:3]]


def parse_ostium_at_noon(answer: Any) -> object:
    graph, prices = answer
    return parse_ostium(graph, prices, NOW)


def places(value: object, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every way to a value below."""
    below: dict[Any, Any] = value if isinstance(value, dict) else {}
    if isinstance(value, list):
        below = dict(enumerate(value))
    for key, inner in below.items():
        yield (*here, key)
        yield from places(inner, (*here, key))


@pytest.mark.parametrize(
    ("answer", "parse"),
    [(hyperliquid_answer(), parse_hyperliquid), (ostium_answer(), parse_ostium_at_noon)],
    ids=["HYPERLIQUID", "OSTIUM"],
)
@settings(deadline=None)  # a loaded machine is no fault of the parser
@given(data=st.data())
def test_any_one_thing_may_be_wrong_in_an_answer(
    data: st.DataObject, answer: list[Any], parse: Callable[[Any], object]
) -> None:
    place = data.draw(st.sampled_from([*places(answer)]))
    wrong = deepcopy(answer)
    holder: Any = wrong
    for step in place[:-1]:
        holder = holder[step]
    holder[place[-1]] = data.draw(JSON)

    try:
        assert parse(wrong)
    except VenueUnavailable as refused:
        str(refused).encode()
