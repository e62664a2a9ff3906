"""What comes in is parsed once, and whatever cannot be is refused by a sentence that names it."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_where.domain import Side, SignalAction, SizeType
from agent_where.errors import BadInput
from agent_where.messages import (
    OrderRef,
    SignalMessage,
    SignalRef,
    parse,
    parse_signal,
    to_signal,
)
from agent_where.parsing import MAX_BODY_BYTES

ID = "0b0e8a52-6c1f-4a57-9d7e-0c9ae3a1f001"
AGENT = "0b0e8a52-6c1f-4a57-9d7e-0c9ae3a1f002"
EXAMPLE = {
    "signalId": ID,
    "agentId": AGENT,
    "tokenSymbol": "BTC",
    "side": "LONG",
    "action": "OPEN",
    "venue": "MULTI",
    "sizeModel": {"type": "balance-percentage", "value": "5", "leverage": "3"},
    "riskModel": {"stopLoss": "0.05", "takeProfit": "0.10", "maxSlippage": "0.01"},
    "createdAt": "2026-01-31T12:00:00Z",
    "expiresAt": "2026-01-31T12:05:00Z",
}
SHORTEST = {
    "signalId": ID,
    "agentId": AGENT,
    "tokenSymbol": "BTC",
    "side": "LONG",
    "sizeModel": {"type": "fixed-usdc", "value": 100},
}
NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)


def body(**changes: Any) -> str:
    """The contract's example, but for `changes`; None takes a key out."""
    told = EXAMPLE | changes
    return json.dumps({key: value for key, value in told.items() if value is not None})


def sized(**changes: Any) -> str:
    return body(sizeModel={"type": "fixed-usdc", "value": "5", "leverage": "3"} | changes)


def refused(raw: str) -> BadInput:
    with pytest.raises(BadInput) as caught:
        parse(raw)
    with pytest.raises(BadInput):
        parse_signal(raw)
    return caught.value


def parsed(raw: str) -> SignalMessage:
    message = parse(raw)
    assert isinstance(message, SignalMessage)
    return message


def test_the_contract_s_example_is_read_whole() -> None:
    message = parsed(json.dumps(EXAMPLE))

    assert message == parse_signal(json.dumps(EXAMPLE))
    assert (message.side, message.action, message.venue) == (Side.LONG, SignalAction.OPEN, "MULTI")
    assert message.size_model is not None
    assert message.size_model.type is SizeType.BALANCE_PERCENTAGE
    assert (message.size_model.value, message.size_model.leverage) == (Decimal(5), Decimal(3))
    assert message.risk_model.take_profit == Decimal("0.10")
    assert message.expires_at == datetime(2026, 1, 31, 12, 5, tzinfo=UTC)


def test_what_may_be_left_out_has_the_contract_s_defaults() -> None:
    message = parsed(json.dumps(SHORTEST))
    signal = to_signal(message, "MULTI", NOW)

    assert (message.action, message.venue) == (SignalAction.OPEN, None)
    assert signal.size is not None
    assert signal.size.leverage == 1
    assert signal.risk.model_dump() == {
        "stop_loss": None,
        "take_profit": None,
        "max_slippage": Decimal("0.01"),
    }
    assert signal.venue == "MULTI"
    assert signal.expires_at == NOW + timedelta(minutes=5)


def test_an_open_expires_five_minutes_after_it_was_made_and_a_close_never() -> None:
    made = parsed(body(expiresAt=None))
    close = parsed(body(action="CLOSE", sizeModel=None))

    assert made.expiry(NOW + timedelta(days=1)) == NOW + timedelta(minutes=5)
    assert close.expiry(NOW) is None


def test_a_close_needs_neither_side_nor_size() -> None:
    message = parsed(body(action="CLOSE", side=None, sizeModel=None, riskModel=None))

    assert (message.action, message.side, message.size_model) == (SignalAction.CLOSE, None, None)


@pytest.mark.parametrize(
    ("raw", "kind"),
    [({"signalId": ID}, SignalRef), ({"orderId": ID}, OrderRef)],
)
def test_an_id_alone_refers_to_what_stands_in_the_database(raw: object, kind: type) -> None:
    assert isinstance(parse(json.dumps(raw)), kind)


def test_words_are_read_in_any_case() -> None:
    message = parsed(body(side="long", action="open", venue="multi", tokenSymbol=" kPepe "))

    assert (message.side, message.action, message.venue, message.token_symbol) == (
        Side.LONG,
        SignalAction.OPEN,
        "MULTI",
        "PEPE",
    )


@pytest.mark.parametrize("value", [5, 5.5, "5", "5.50", "1e1", 0.1])
def test_numbers_are_taken_as_numbers_or_strings_and_kept_exactly(value: object) -> None:
    message = parsed(sized(value=value))

    assert message.size_model is not None
    assert message.size_model.value == Decimal(str(value))


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "not json",
        "{",
        '{"signalId": NaN}',
        '{"signalId": Infinity}',
        "[" * 8_000,
        '{"a":' * 3_000,
        "1" * 5_000,
        '{"signalId": 1, "signalId": 1}',
        '{"sizeModel": {"value": 1, "value": 2}}',
        "[]",
        "null",
        '"text"',
        "5",
    ],
)
def test_what_is_no_json_object_is_refused_as_such(raw: str) -> None:
    assert refused(raw).code == "BAD_JSON"


@pytest.mark.parametrize("depth", [100, 900, 990, 2_000, 5_000, 8_000])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_however_deep_a_body_is_nested_it_is_refused_and_nothing_breaks(
    depth: int, opening: str, closing: str
) -> None:
    deep = min(depth, (MAX_BODY_BYTES - 100) // (len(opening) + 1))
    inner = "1" if opening != "[" else ""

    refused(f'{{"riskModel": {opening * deep}{inner}{closing * deep}}}')


@pytest.mark.parametrize(
    ("told", "field"),
    [
        ("\ud800", "tokenSymbol"),
        ("BTC\x00", "tokenSymbol"),
        ("a\udfffb", "tokenSymbol"),
    ],
)
def test_text_that_cannot_be_stored_is_refused_by_its_path(told: str, field: str) -> None:
    fault = refused(body(tokenSymbol=told))

    assert (fault.code, str(fault)) == (
        "BAD_TEXT",
        f"{field}: a lone surrogate or NUL cannot be stored",
    )
    str(fault).encode()


def test_a_key_or_a_raw_character_that_cannot_be_stored_is_refused_too() -> None:
    assert refused(json.dumps({"\ud800": 1})).code == "BAD_TEXT"
    assert refused(json.dumps({"a": [{"b": "\x00"}]})).code == "BAD_TEXT"
    refused('{"signalId": "\ud800"}')


def test_a_body_over_sixteen_kilobytes_is_refused_whatever_is_in_it() -> None:
    fault = refused(body(riskModel={"x" * (17 * 1024): 1}))

    assert (fault.code, str(fault)) == ("BODY_TOO_LARGE", "the body is larger than 16384 bytes")
    assert refused("é" * 9_000).code == "BODY_TOO_LARGE"


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (sized(value="-5"), "sizeModel.value: Input should be greater than 0"),
        (sized(value=0), "sizeModel.value: Input should be greater than 0"),
        (sized(value="1e400"), "sizeModel.value: "),
        (sized(value="NaN"), "sizeModel.value: 'NaN' is not a number"),
        (sized(value="Infinity"), "sizeModel.value: 'Infinity' is not a number"),
        (sized(value=True), "sizeModel.value: a number or a string that holds one is needed"),
        (sized(value=None), "sizeModel.value: a number or a string that holds one is needed"),
        (sized(value=[5]), "sizeModel.value: a number or a string that holds one is needed"),
        (sized(value="five"), "sizeModel.value: "),
        (sized(value="0.0000000000000000001"), "sizeModel.value: "),
        (sized(leverage=0), "sizeModel.leverage: Input should be greater than or equal to 1"),
        (sized(leverage="0.5"), "sizeModel.leverage: Input should be greater than or equal to 1"),
        (sized(leverage="1e400"), "sizeModel.leverage: "),
        (sized(leverage=1001), "sizeModel.leverage: Input should be less than or equal to 1000"),
        (sized(type="percent"), "sizeModel.type: "),
        (sized(type="balance-percentage", value=101), "a balance-percentage is at most 100"),
        (sized(value2=1), "sizeModel.value2: unknown key"),
        (body(sizeModel=None), "sizeModel: an OPEN needs one"),
        (body(sizeModel="5"), "sizeModel: "),
        (body(side=None), "side: an OPEN needs LONG or SHORT"),
        (body(side="UP"), "side: "),
        (body(side=1), "side: "),
        (body(action="HOLD"), "action: "),
        (body(venue="BINANCE"), "venue: unknown venue; known are SPOT, GMX"),
        (body(venue=5), "venue: unknown venue"),
        (body(tokenSymbol="💥"), "tokenSymbol: '\\U0001f4a5' is not a token symbol"),
        (body(tokenSymbol=""), "tokenSymbol: "),
        (body(tokenSymbol="A" * 33), "tokenSymbol: "),
        (body(tokenSymbol=7), "tokenSymbol: "),
        (body(tokenSymbol="BTC; DROP TABLE"), "is not a token symbol"),
        (body(signalId="1"), "signalId: "),
        (body(agentId=None), "agentId: Field required"),
        (body(riskModel={"stopLoss": 1}), "riskModel.stopLoss: Input should be less than 1"),
        (body(riskModel={"stopLoss": "-0.1"}), "riskModel.stopLoss: "),
        (body(riskModel={"maxSlippage": 0}), "riskModel.maxSlippage: "),
        (body(riskModel={"maxSlippage": "0.51"}), "riskModel.maxSlippage: "),
        (body(side="SHORT", riskModel={"takeProfit": 1}), "a SHORT cannot gain all of its entry"),
        (body(createdAt="2026-01-31T12:00:00"), "createdAt: "),
        (body(createdAt="yesterday"), "createdAt: "),
        (body(leverage=3), "leverage: unknown key"),
        (body(side=None, action="CLOSE", agent_id=AGENT), "agent_id: unknown key"),
        (body(agentId=None, agent_id=AGENT), "agent_id: unknown key"),
        (json.dumps({"signalId": ID, "orderId": ID}), "orderId: unknown key"),
    ],
)
def test_each_bad_field_is_named(raw: str, told: str) -> None:
    fault = refused(raw)

    assert told in str(fault)
    assert str(fault).startswith("bad input: ")


def test_a_short_may_gain_nearly_all_and_a_long_may_gain_more() -> None:
    short = parsed(body(side="SHORT", riskModel={"takeProfit": "0.99"}))
    long = parsed(body(side="LONG", riskModel={"takeProfit": "3"}))

    assert short.risk_model.take_profit == Decimal("0.99")
    assert long.risk_model.take_profit == Decimal(3)


def test_every_fault_is_told_at_once() -> None:
    fault = refused(body(side="UP", tokenSymbol="", agentId=None, colour="red"))

    assert [detail.split(":")[0] for detail in fault.details] == [
        "agentId",
        "tokenSymbol",
        "side",
        "colour",
    ]


@pytest.mark.parametrize("made", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00"])
def test_a_time_at_the_end_of_the_calendar_is_refused_or_has_an_expiry(made: str) -> None:
    raw = body(createdAt=made, expiresAt=None)
    try:
        message = parsed(raw)
    except BadInput as fault:
        assert "createdAt" in str(fault)  # noqa: PT017 either end is right
    else:
        assert to_signal(message, "MULTI", NOW).expires_at is not None


@given(st.text() | st.recursive(st.none() | st.floats() | st.text(), st.lists).map(json.dumps))
def test_nothing_but_bad_input_comes_of_anything(raw: str) -> None:
    with pytest.raises(BadInput):
        parse(raw)


@given(
    st.dictionaries(
        st.sampled_from([*EXAMPLE, "orderId"]),
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.text(max_size=5)
        | st.sampled_from([*EXAMPLE.values()])
        | st.dictionaries(
            st.sampled_from(["type", "value", "leverage", "stopLoss"]),
            st.floats() | st.text(max_size=5) | st.integers(),
        ),
    )
)
def test_a_body_of_any_values_is_a_message_or_bad_input(values: dict[str, Any]) -> None:
    try:
        message = parse(json.dumps(values))
    except BadInput as fault:
        assert str(fault)  # noqa: PT017 either end is right
    else:
        assert isinstance(message, SignalMessage | SignalRef | OrderRef)


@pytest.mark.parametrize(
    "same",
    [
        json.dumps(EXAMPLE, indent=2),
        json.dumps(dict(reversed(EXAMPLE.items()))),
        body(side="long", venue="multi", tokenSymbol="btc", action="open"),
        body(sizeModel={"type": "balance-percentage", "value": 5, "leverage": 3}),
    ],
)
def test_the_same_body_in_other_words_has_the_same_hash(same: str) -> None:
    assert parsed(same).body_hash == parsed(json.dumps(EXAMPLE)).body_hash


@pytest.mark.parametrize(
    "other",
    [
        body(side="SHORT"),
        body(venue=None),
        body(action=None),
        body(tokenSymbol="ETH"),
        body(expiresAt=None),
        body(riskModel=None),
        body(createdAt="2026-01-31T12:00:01Z"),
        body(sizeModel={"type": "balance-percentage", "value": 6, "leverage": 3}),
    ],
)
def test_another_body_has_another_hash(other: str) -> None:
    assert parsed(other).body_hash != parsed(json.dumps(EXAMPLE)).body_hash


@pytest.mark.parametrize("number", ["1e99999999999999999999", "-1e99999999999999999999", "1e400"])
def test_a_number_out_of_all_range_is_bad_input_and_no_crash(number: str) -> None:
    body = json.dumps(EXAMPLE).replace('"5"', number)

    with pytest.raises(BadInput):
        parse(body)


@pytest.mark.parametrize("text", ["1_000", "\uff11\uff12", "\u0663", " 5", "5 ", "0x5", "", "nan"])
def test_a_number_in_a_string_is_written_in_plain_digits(text: str) -> None:
    body = {**EXAMPLE, "sizeModel": {"type": "fixed-usdc", "value": text}}

    with pytest.raises(BadInput, match=r"sizeModel\.value: .* is not a number"):
        parse(json.dumps(body))
