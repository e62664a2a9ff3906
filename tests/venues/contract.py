"""What every MarketSource keeps, numbered: an adapter that passes can be synced and routed to.

A rule takes a source that is up and tells no lies; what a source does when its venue is down or
talks nonsense is tested beside each adapter.
"""

from collections.abc import Callable, Sequence

from agent_where.domain import TRADABLE_VENUES
from agent_where.symbols import canonical
from agent_where.venues.base import MarketSource

Rule = Callable[[MarketSource], None]

NETS = {"HYPERLIQUID": True, "OSTIUM": False}
"""Whether a venue nets all orders of an account in a market into one position, by its documents."""


def c01_it_lists_markets_of_its_own_venue_and_of_no_other(source: MarketSource) -> None:
    venues = {market.venue for market in source.markets()}
    assert venues == {source.id}
    assert source.id in TRADABLE_VENUES


def c02_a_token_has_at_most_one_market(source: MarketSource) -> None:
    tokens = [market.token_symbol for market in source.markets()]
    assert len(tokens) == len(set(tokens))


def c03_a_signal_can_name_every_token_and_means_this_one(source: MarketSource) -> None:
    for market in source.markets():
        assert canonical(market.token_symbol) == market.token_symbol, market.name


def c04_every_market_has_its_own_index_and_name(source: MarketSource) -> None:
    markets = source.markets()
    indexes = [market.index for market in markets]
    assert None not in indexes
    assert len(set(indexes)) == len({market.name for market in markets}) == len(markets)


def c05_leverage_is_a_multiple_that_can_be_asked_for(source: MarketSource) -> None:
    assert all(1 <= market.max_leverage <= 1000 for market in source.markets())


def c06_the_size_step_is_a_power_of_ten_of_the_venues_own_unit(source: MarketSource) -> None:
    for market in source.markets():
        in_venue_units = market.size_step / market.multiplier
        assert in_venue_units > 0
        assert in_venue_units.normalize().as_tuple().digits == (1,), market.name


def c07_a_price_is_positive_or_absent_and_an_open_market_has_one(source: MarketSource) -> None:
    for market in source.markets():
        assert market.price_usd is None or market.price_usd > 0
        assert market.price_usd is not None or not market.is_open, market.name


def c08_an_inactive_market_is_not_open(source: MarketSource) -> None:
    assert not [market for market in source.markets() if market.is_open and not market.is_active]


def c09_no_side_is_offered_twice(source: MarketSource) -> None:
    assert all(len(set(market.sides)) == len(market.sides) for market in source.markets())


def c10_fees_and_minimum_are_known_and_of_a_sane_size(source: MarketSource) -> None:
    for market in source.markets():
        assert 0 < market.taker_fee_bps <= 100
        assert 0 <= market.order_fee_usd <= 10
        assert 0 < market.min_notional_usd <= 1000


def c11_every_market_is_in_a_group(source: MarketSource) -> None:
    assert all(market.group for market in source.markets())


def c12_figures_fit_a_column_and_text_is_plain(source: MarketSource) -> None:
    for market in source.markets():
        figures = [market.multiplier, market.size_step, market.price_usd, market.max_leverage]
        for figure in figures:
            assert figure is None or (figure.is_finite() and abs(figure.adjusted()) <= 30)
        assert market.name.isascii()
        assert market.name.isprintable()


def c13_when_it_was_stored_is_not_the_adapters_to_say(source: MarketSource) -> None:
    assert {market.last_synced for market in source.markets()} == {None}


def c14_the_same_answer_gives_the_same_markets(source: MarketSource) -> None:
    assert list(source.markets()) == list(source.markets())


def c15_every_market_says_whether_the_venue_nets(source: MarketSource) -> None:
    assert {market.netting for market in source.markets()} == {NETS[source.id]}


RULES: Sequence[Rule] = [
    rule for name, rule in sorted(globals().items()) if name.startswith("c") and name[1:3].isdigit()
]
