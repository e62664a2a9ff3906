"""Whatever JSON a caller sends, it is read or refused as bad input, never anything else."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_where import bodies
from agent_where.errors import BadInput
from agent_where.messages import Body
from agent_where.parsing import parse_object, validate

WORDS = ("MULTI", "OSTIUM", "ACTIVE", f"0x{'a' * 40}", "5", "1e999999", "week", "BTC", "")
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
    | st.sampled_from(WORDS)
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=4
)
BODIES = (
    bodies.ConfigBody,
    bodies.AgentBody,
    bodies.AgentChange,
    bodies.DeploymentBody,
    bodies.DeploymentChange,
)
QUERIES = (
    bodies.ConfigQuery,
    bodies.AgentQuery,
    bodies.StatsQuery,
    bodies.PageQuery,
    bodies.PositionsQuery,
    bodies.MarketsQuery,
)


@pytest.mark.parametrize("model", BODIES, ids=lambda model: model.__name__)
@settings(max_examples=50)
@given(data=st.data())
def test_any_body_is_read_or_refused(model: type[Body], data: st.DataObject) -> None:
    known = st.sampled_from([field.alias or name for name, field in model.model_fields.items()])
    body = data.draw(st.dictionaries(known | st.text(max_size=3), VALUES, max_size=8))

    _read_or_refused(model, parse_or_refuse(json.dumps(body)))


@pytest.mark.parametrize("model", QUERIES, ids=lambda model: model.__name__)
@settings(max_examples=50)
@given(data=st.data())
def test_any_query_is_read_or_refused(model: type[Body], data: st.DataObject) -> None:
    known = st.sampled_from([field.alias or name for name, field in model.model_fields.items()])
    texts = st.text(max_size=10) | st.sampled_from(WORDS)

    _read_or_refused(model, data.draw(st.dictionaries(known | texts, texts, max_size=4)))


@pytest.mark.parametrize(
    "address", ["0x", f"0x{'a' * 39}", f"0x{'a' * 41}", f"0X{'a' * 40}", f"0x{'é' * 40}", "a.eth"]
)
def test_an_address_is_0x_and_40_hex_digits(address: str) -> None:
    with pytest.raises(BadInput, match="user_wallet: an address is 0x and 40 hex digits"):
        validate(bodies.DeploymentBody, {"venues": ["OSTIUM"], "user_wallet": address})


def test_a_change_tells_only_what_it_was_told() -> None:
    change = validate(bodies.DeploymentChange, {"maxLeverage": None, "status": "PAUSED"})

    assert change.changes() == {"max_leverage": None, "status": "PAUSED"}


def parse_or_refuse(raw: str) -> dict[str, Any]:
    try:
        return parse_object(raw)
    except BadInput:
        return {}


def _read_or_refused(model: type[Body], told: dict[str, Any]) -> None:
    with suppress(BadInput):
        validate(model, told)
