"""What was executed beyond an order: what may be rounding is nothing."""

from decimal import Decimal
from uuid import uuid4

import pytest

from agent_where.domain import Mode, Order, OrderStatus, Purpose, Side
from agent_where.execution.excess import beyond
from tests.unit.shapes import market

STEP = Decimal("0.001")


def an_order(size: Decimal | None) -> Order:
    return Order(
        id=uuid4(),
        signal_id=uuid4(),
        deployment_id=uuid4(),
        position_id=uuid4(),
        purpose=Purpose.ENTRY,
        leg="ENTRY",
        attempt=1,
        venue="HYPERLIQUID",
        account="0xa",
        mode=Mode.LIVE,
        token_symbol="BTC",
        market_name="BTC",
        side=Side.LONG,
        leverage=Decimal(1),
        status=OrderStatus.SENT,
        size=size,
    )


@pytest.mark.parametrize(
    ("netting", "filled", "over"),
    [
        (True, "1.5", "0"),
        (True, "2", "0"),
        (True, "2.0009", "0"),
        (True, "2.001", "0.001"),
        (False, "2.2", "0"),
        (False, "2.999", "0"),
        (False, "4", "2"),
    ],
)
def test_a_step_of_the_grid_is_beyond_where_sizes_are_on_one_and_elsewhere_half_of_the_order(
    netting: bool, filled: str, over: str
) -> None:
    listed = market(netting=netting, size_step=STEP)

    assert beyond(an_order(Decimal(2)), Decimal(filled), listed) == Decimal(over)


def test_without_a_market_any_difference_is_beyond() -> None:
    assert beyond(an_order(Decimal(2)), Decimal("2.0001"), None) == Decimal("0.0001")
    assert beyond(an_order(Decimal(2)), Decimal(2), None) == 0


def test_nothing_is_beyond_an_order_that_was_never_sized() -> None:
    assert beyond(an_order(None), Decimal(1), None) == 0
