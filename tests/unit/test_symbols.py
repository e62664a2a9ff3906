"""One symbol per thing, by a table and never by a guess."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_where.errors import BadInput
from agent_where.symbols import ALIASES, canonical
from agent_where.venues.hyperliquid.tokens import token_of as hyperliquid_token
from agent_where.venues.ostium.tokens import token_of as ostium_token


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("BTC", "BTC"),
        ("btc", "BTC"),
        (" Eth \n", "ETH"),
        ("kPEPE", "PEPE"),
        ("1000pepe", "PEPE"),
        ("gold", "XAU"),
        ("EURUSD", "EUR"),
        ("KAS", "KAS"),
        ("1INCH", "1INCH"),
        ("BRK.B", "BRK.B"),
    ],
)
def test_a_symbol_is_upper_case_and_canonical(written: str, meant: str) -> None:
    assert canonical(written) == meant


@pytest.mark.parametrize(
    "written",
    [
        "",
        "   ",
        "B TC",
        "BTC/USD",
        "-BTC",
        "💥",
        "BTC\x00",
        "\ud800",
        "A" * 33,
        "\u0392TC",
        "\u2028BTC",
    ],
)
def test_what_is_no_symbol_is_refused_in_words_that_can_be_written_anywhere(written: str) -> None:
    with pytest.raises(BadInput, match="is not a token symbol") as caught:
        canonical(written)

    assert caught.value.code == "BAD_TOKEN_SYMBOL"
    assert str(caught.value).isascii()


@pytest.mark.parametrize("lookalike", ["\u017fOL", "B\u0131T", "\ufb01L"])
def test_a_letter_that_only_becomes_ascii_in_upper_case_is_not_guessed_at(lookalike: str) -> None:
    with pytest.raises(BadInput):
        canonical(lookalike)


@given(st.text(max_size=40))
def test_what_is_accepted_is_its_own_canonical_form(written: str) -> None:
    try:
        symbol = canonical(written)
    except BadInput:
        return
    assert canonical(symbol) == canonical(symbol.lower()) == symbol


def test_no_alias_leads_to_another() -> None:
    assert not set(ALIASES) & set(ALIASES.values())


@pytest.mark.parametrize("alias", ["KPEPE", "KSHIB", "KBONK", "KFLOKI", "KLUNC", "KDOGS", "KNEIRO"])
def test_an_agent_s_word_for_a_thousand_means_what_the_venue_s_market_holds(alias: str) -> None:
    token, multiplier = hyperliquid_token(f"k{alias[1:]}")

    assert (token, multiplier) == (ALIASES[alias], 1000)


@pytest.mark.parametrize("name", ["XAU", "XAG", "EUR", "GBP"])
def test_an_agent_s_word_for_a_metal_or_a_currency_is_the_venue_s_token(name: str) -> None:
    assert ostium_token(name, "USD") == name
    assert name in ALIASES.values()
