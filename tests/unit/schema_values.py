"""Bodies near the edge of what is allowed: each key right, wrong in one way, or left out."""

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

ID = "a0000000-0000-4000-8000-000000000001"
TEXTS = st.sampled_from(
    ["all is well", " ", "", "\x1c", "\u3000\u2028", "a\x00b", "é" * 500, "e" * 501]
)
TIMES = st.sampled_from(
    [
        "2026-01-31T12:00:00Z",
        "2026-01-31T12:00:00.123456789+23:59",
        "1970-01-01T00:00:00+14:00",
        "9000-12-31T23:59:59-10:00",
        "9001-01-01T00:00:00Z",
        "1969-12-31T23:59:59Z",
        "2026-01-31T12:00:00",
        "2026-01-31 12:00:00Z",
        "2026-01-31T24:00:00Z",
        "2026-01-31T12:00:60Z",
        "1767225600",
        1767225600,
        "yesterday",
        None,
    ]
)


@st.composite
def numbers(draw: st.DrawFn) -> object:
    """A number in plain digits, as a string or as JSON has it, often near a limit."""
    whole = draw(st.sampled_from(["0", "1", "9", "10", "99", "100", "999", "1000", "1000000000"]))
    whole = draw(st.just(whole) | st.from_regex("[1-9][0-9]{0,12}", fullmatch=True))
    part = draw(
        st.sampled_from(["", "0", "00", "5", "50", "51"])
        | st.from_regex("[0-9]{1,20}", fullmatch=True)
    )
    text = f"{whole}.{part}" if part else whole
    return draw(st.sampled_from([text, text, float(text), int(whole), f"-{text}", "", None, True]))


def keys(
    needed: Mapping[str, st.SearchStrategy[Any]], optional: Mapping[str, st.SearchStrategy[Any]]
) -> st.SearchStrategy[dict[str, Any]]:
    """An object of these keys; one that is needed is left out seldom."""
    several = {name: (each | each | each) for name, each in needed.items()}
    whole = st.fixed_dictionaries(several, optional=dict(optional))
    without = st.sampled_from([None, None, None, None, *needed])
    return st.tuples(whole, without).map(
        lambda drawn: {name: told for name, told in drawn[0].items() if name != drawn[1]}
    )


SIZE = keys(
    {
        "type": st.sampled_from(["balance-percentage", "fixed-usdc", "fixed-usdc", "all"]),
        "value": numbers(),
    },
    {"leverage": numbers(), "more": st.just(1)},
)
RISK = keys({}, {"stopLoss": numbers(), "takeProfit": numbers(), "maxSlippage": numbers()})
GOOD_SIZE = st.just({"type": "fixed-usdc", "value": "100"})
SIGNALS = keys(
    {
        "signalId": st.sampled_from([ID, ID, ID, ID.upper(), ID.replace("-", ""), 1]),
        "agentId": st.just(ID),
        "tokenSymbol": st.sampled_from(["BTC", "btc", "k.PEPE_1-2", "", "-", "a" * 33, "Ä", 5]),
    },
    {
        "action": st.sampled_from(["OPEN", "CLOSE", "CLOSE", "HOLD"]),
        "side": st.sampled_from(["LONG", "SHORT", "SHORT", None, "UP"]),
        "venue": st.sampled_from(["MULTI", None, "NYSE"]),
        "sizeModel": GOOD_SIZE | GOOD_SIZE | SIZE | st.none(),
        "riskModel": RISK | st.just({"takeProfit": "1"}) | st.just({"takeProfit": "0.5"}),
        "createdAt": TIMES,
        "expiresAt": TIMES,
    },
)
CONTROLS = keys(
    {
        "scope": st.sampled_from(["global", "venue", "agent", "deployment", "world"]),
        "state": st.sampled_from(["ACTIVE", "CLOSE_ONLY", "HALTED", "BUSY"]),
        "reason": TEXTS,
    },
    {"id": st.sampled_from([ID, ID, "SPOT", "SPOT", "MULTI", "NYSE", "", None])},
)
SIZES = keys(
    {},
    {
        "maxNotionalUsd": numbers(),
        "maxLeverage": numbers(),
        "status": st.sampled_from(["ACTIVE", "PAUSED", "DRAFT", None]),
        "venues": st.lists(st.sampled_from(["SPOT", "GMX", "MULTI", "NYSE"]), max_size=5),
        "agent_id": st.just(ID),
    },
)
