"""Ids are derived: the same thing twice is the same id, anything else is another."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from agent_where.ids import close_leg, next_leg, order_id, position_id

legs = st.sampled_from(["ENTRY", "STOP_LOSS", "TAKE_PROFIT", "CLOSE:a"])
intents = st.tuples(st.uuids(), st.uuids(), legs, st.integers(1, 50))


@given(intents, intents)
def test_two_intents_share_an_id_only_if_they_are_one(
    one: tuple[UUID, UUID, str, int], other: tuple[UUID, UUID, str, int]
) -> None:
    assert (order_id(*one) == order_id(*other)) is (one == other)


@given(st.uuids(), st.uuids())
def test_a_position_is_its_signal_s_and_its_deployment_s(signal: UUID, deployment: UUID) -> None:
    position = position_id(signal, deployment)

    assert position == position_id(signal, deployment)
    assert position not in (
        order_id(signal, deployment, "ENTRY", 1),
        *([position_id(deployment, signal)] if signal != deployment else []),
    )


def test_ids_are_what_they_were_when_the_first_order_was_stored() -> None:
    signal, deployment = UUID(int=1), UUID(int=2)

    assert str(order_id(signal, deployment, "ENTRY", 1)) == "63d36128-59fc-5553-be87-23f5c561b792"
    assert str(position_id(signal, deployment)) == "32602d00-9fb9-5b0b-9503-873d9cec9235"


@given(st.uuids(), st.integers(1, 30))
def test_each_rest_of_an_exit_has_a_leg_of_its_own(position: UUID, rests: int) -> None:
    for first in ("STOP_LOSS", "TAKE_PROFIT", close_leg(position)):
        seen = [first]
        for _ in range(rests):
            seen.append(next_leg(seen[-1]))

        assert seen[1:] == [f"{first}:{number}" for number in range(2, rests + 2)]
