"""Whatever JSON a caller sends, it is read or refused as bad input, never anything else."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_where.contract import bodies, queries
from agent_where.contract.routes import ROUTES
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
BODIES = sorted({route.body for route in ROUTES}, key=lambda model: model.__name__)
QUERIES = sorted({route.query for route in ROUTES}, key=lambda model: model.__name__)


@pytest.mark.parametrize("model", BODIES, ids=lambda model: model.__name__)
@settings(max_examples=50)
@given(data=st.data())
def test_any_body_is_read_or_refused(model: type[Body], data: st.DataObject) -> None:
    known = _keys(model)
    body = data.draw(st.dictionaries(known | st.text(max_size=3), VALUES, max_size=8))

    _read_or_refused(model, parse_or_refuse(json.dumps(body)))


@pytest.mark.parametrize("model", QUERIES, ids=lambda model: model.__name__)
@settings(max_examples=50)
@given(data=st.data())
def test_any_query_is_read_or_refused(model: type[Body], data: st.DataObject) -> None:
    known = _keys(model)
    texts = st.text(max_size=10) | st.sampled_from(WORDS)

    _read_or_refused(model, data.draw(st.dictionaries(known | texts, texts, max_size=4)))


@pytest.mark.parametrize(
    "address", ["0x", f"0x{'a' * 39}", f"0x{'a' * 41}", f"0X{'a' * 40}", f"0x{'é' * 40}", "a.eth"]
)
def test_an_address_is_0x_and_40_hex_digits(address: str) -> None:
    with pytest.raises(BadInput, match="user_wallet: an address is 0x and 40 hex digits"):
        validate(bodies.DeploymentBody, {"venues": ["OSTIUM"], "user_wallet": address})


def test_an_address_with_capitals_needs_its_checksum() -> None:
    told = {"venues": ["OSTIUM"], "user_wallet": f"0x{'aB' * 20}"}

    with pytest.raises(BadInput, match="user_wallet: its capitals are no EIP-55 checksum"):
        validate(bodies.DeploymentBody, told)


AN_ID = "6154128c-e5ac-4847-bdb8-8e9e17a9a51e"


@pytest.mark.parametrize("id_", ["", "0" * 32, f"{{{AN_ID}}}", f"urn:uuid:{AN_ID}", " "])
def test_an_id_is_a_uuid_with_its_hyphens(id_: str) -> None:
    with pytest.raises(BadInput, match="agentId: a UUID is needed"):
        validate(queries.ConfigQuery, {"agentId": id_})


@pytest.mark.parametrize("limit", ["0", "101", "-1", "1.0", "1e1", " 5", "5_0", "\u0665", ""])
def test_a_limit_is_a_whole_number_from_1_to_100(limit: str) -> None:
    with pytest.raises(BadInput, match="limit"):
        validate(queries.AgentsQuery, {"limit": limit})


@pytest.mark.parametrize(
    ("told", "fault"),
    [
        ({"scope": "global", "id": "OSTIUM"}, "a global control has none"),
        ({"scope": "venue", "id": "MULTI"}, "id: one of"),
        ({"scope": "venue"}, "id: one of"),
        ({"scope": "agent", "id": "1"}, "the agent's UUID"),
        ({"scope": "deployment"}, "the deployment's UUID"),
        ({"scope": "global", "reason": " "}, "reason: it is blank"),
    ],
)
def test_a_control_names_what_its_scope_needs(told: dict[str, str], fault: str) -> None:
    with pytest.raises(BadInput, match=fault):
        validate(bodies.ControlBody, {"state": "HALTED", "reason": "a test", **told})


def test_a_change_tells_only_what_it_was_told() -> None:
    change = validate(bodies.DeploymentChange, {"maxLeverage": None, "status": "PAUSED"})

    assert change.changes() == {"max_leverage": None, "status": "PAUSED"}


def parse_or_refuse(raw: str) -> dict[str, Any]:
    try:
        return parse_object(raw)
    except BadInput:
        return {}


def _keys(model: type[Body]) -> st.SearchStrategy[str]:
    known = [field.alias or name for name, field in model.model_fields.items()]
    return st.sampled_from(known) if known else st.nothing()


def _read_or_refused(model: type[Body], told: dict[str, Any]) -> None:
    with suppress(BadInput):
        validate(model, told)
