"""docs/costs.md is what the script computes, and the script computes what it says."""

from decimal import Decimal

from local import costs
from local.environment import ROOT


def total(lines: list[costs.Line]) -> Decimal:
    return sum((line.usd for line in lines), Decimal(0))


def test_the_document_is_what_the_script_computes_now() -> None:
    text = costs.DOCUMENT.read_text(encoding="utf-8")

    assert costs.document(text) == text, "run make costs"


def test_more_signals_never_cost_less() -> None:
    for part in (costs.always, costs.network, costs.database):
        bills = [total(part(signals)) for signals in costs.SIGNALS]
        assert bills == sorted(bills)


def test_an_idle_stack_s_largest_lines_are_the_ones_that_can_be_turned_off() -> None:
    idle = costs.network(0) + costs.database(0)

    assert total(idle) > total(costs.always(0))


def test_a_nat_gateway_is_about_what_aws_says_of_one() -> None:
    nat = costs.network(0)[0]

    assert nat.what == "NAT"
    assert 32 < nat.usd < 40


def test_every_price_is_used() -> None:
    code = (ROOT / "local" / "costs.py").read_text(encoding="utf-8")
    unused = [
        name
        for name in costs.PRICES
        if code.count(f'"{name}"') < 2 and not name.startswith("RDS db.")
    ]

    assert unused == []
