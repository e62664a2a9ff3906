"""Actions on the wire: figures exact or refused, encoded as the venue's client encodes them."""

from decimal import Decimal, localcontext

import msgpack
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError

from agent_where.venues.hyperliquid import wire
from agent_where.venues.hyperliquid.wire import OrderTerms, number
from tests.venues.orders import CLIENT_ID, as_request, figures, orders
from tests.venues.sdk import signing


@given(figures)
def test_a_figure_is_what_the_venues_client_writes(value: Decimal) -> None:
    assert number(value) == signing.float_to_wire(float(value))


@given(st.decimals(min_value=0, max_value=Decimal("1e20"), allow_nan=False, places=8))
def test_a_figure_on_the_wire_is_the_figure(value: Decimal) -> None:
    text = number(value)

    assert Decimal(text) == value
    assert "E" not in text.upper()
    assert text == "0" or not text.endswith(("." if "." not in text else "0", "."))
    assert not text.startswith("-")


@given(st.decimals(min_value=Decimal("1e-30"), max_value=Decimal("1e12"), allow_nan=False))
def test_a_figure_of_more_than_eight_decimals_is_refused_and_never_rounded(value: Decimal) -> None:
    with localcontext(prec=80):
        assume(value.normalize().as_tuple().exponent < -8)  # type: ignore[operator]

    with pytest.raises(ValueError, match="decimals"):
        number(value)


@pytest.mark.parametrize(
    "text", ["0.123456789", "1e-9", "123456789012345678901234567890.000000001"]
)
def test_digits_beyond_any_context_are_seen(text: str) -> None:
    with pytest.raises(ValueError, match="decimals"):
        number(Decimal(text))


@pytest.mark.parametrize("text", ["NaN", "sNaN", "Infinity", "-Infinity", "-1", "1e41", "1e-41"])
def test_what_is_no_price_or_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no form on the wire"):
        number(Decimal(text))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("100.0", "100"),
        ("100", "100"),
        ("1e3", "1000"),
        ("0.00001000", "0.00001"),
        ("1E-8", "0.00000001"),
        ("0", "0"),
        ("-0", "0"),
        ("0.0", "0"),
        ("1234567890123456789012345678901", "1234567890123456789012345678901"),
    ],
)
def test_a_figure_has_no_exponent_and_no_trailing_zeros(value: str, text: str) -> None:
    assert number(Decimal(value)) == text


@given(orders)
def test_an_order_is_encoded_as_the_venues_client_encodes_it(terms: OrderTerms) -> None:
    ours = wire.order(terms)

    theirs = signing.order_wires_to_order_action(
        [signing.order_request_to_order_wire(as_request(terms), terms.asset)]
    )
    assert msgpack.packb(ours) == msgpack.packb(theirs)


def test_several_orders_stand_in_one_action() -> None:
    terms = [
        OrderTerms(asset=place, is_buy=False, limit_price=Decimal(10), size=Decimal(1))
        for place in range(3)
    ]

    ours = wire.order(*terms)

    theirs = signing.order_wires_to_order_action(
        [signing.order_request_to_order_wire(as_request(each), each.asset) for each in terms]
    )
    assert msgpack.packb(ours) == msgpack.packb(theirs)


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "285ad26a251f390c83d065af51e3f8d9"},
        {"client_id": CLIENT_ID.upper()},
        {"client_id": f"{CLIENT_ID}00"},
        {"size": Decimal(0)},
        {"limit_price": Decimal(-1)},
        {"limit_price": Decimal("NaN")},
        {"asset": -1},
    ],
)
def test_terms_that_the_venue_would_read_as_others_cannot_be_made(
    changes: dict[str, object],
) -> None:
    healthy = {
        "asset": 0,
        "is_buy": True,
        "limit_price": Decimal(1),
        "size": Decimal(1),
        "client_id": CLIENT_ID,
    }
    assert OrderTerms.model_validate(healthy).client_id == CLIENT_ID

    with pytest.raises(ValidationError):
        OrderTerms.model_validate(healthy | changes)
