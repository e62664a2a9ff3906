"""Orders of all kinds, for us and in the words of the venue's own client."""

from decimal import Decimal

from hypothesis import strategies as st

from agent_where.venues.hyperliquid.wire import Exit, OrderTerms, TimeInForce, Trigger
from tests.venues.sdk import types

CLIENT_ID = "0x285ad26a251f390c83d065af51e3f8d9"

figures = st.one_of(
    st.builds(
        lambda digits, places: Decimal(digits).scaleb(-places),
        st.integers(1, 10**15 - 1),
        st.integers(0, 8),
    ).filter(lambda value: value < 10**7),
    st.integers(1, 2**53).map(Decimal),
)
"""What a float can say exactly, so that the client, which takes floats, can be asked the same."""

kinds = st.one_of(
    st.sampled_from(TimeInForce),
    st.builds(Trigger, price=figures, exit=st.sampled_from(Exit), is_market=st.booleans()),
)
asset_ids = st.one_of(st.integers(0, 300), st.integers(110_000, 190_000))
client_ids = st.one_of(st.none(), st.integers(0, 2**128 - 1).map(lambda number: f"0x{number:032x}"))
orders = st.builds(
    OrderTerms,
    asset=asset_ids,
    is_buy=st.booleans(),
    limit_price=figures,
    size=figures,
    reduce_only=st.booleans(),
    kind=kinds,
    client_id=client_ids,
)


def as_request(terms: OrderTerms) -> dict[str, object]:
    """The same order in the words of the venue's client."""
    return {
        "coin": "BTC",
        "is_buy": terms.is_buy,
        "sz": float(terms.size),
        "limit_px": float(terms.limit_price),
        "order_type": as_order_type(terms.kind),
        "reduce_only": terms.reduce_only,
        "cloid": None if terms.client_id is None else types.Cloid.from_str(terms.client_id),
    }


def as_order_type(kind: TimeInForce | Trigger) -> dict[str, object]:
    match kind:
        case TimeInForce.IOC:
            return {"limit": {"tif": "Ioc"}}
        case TimeInForce.GTC:
            return {"limit": {"tif": "Gtc"}}
        case Trigger(price=price, exit=leg, is_market=is_market):
            tpsl = "tp" if leg is Exit.TAKE_PROFIT else "sl"
            return {"trigger": {"triggerPx": float(price), "isMarket": is_market, "tpsl": tpsl}}
