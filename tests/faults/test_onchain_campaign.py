"""The campaign on a chain: it replays, it judges, and it finds mistakes that were put there."""

import random
from collections.abc import Iterator
from functools import partial

import pytest

from local.environment import ROOT
from tests.faults.faulting import NoFaults
from tests.faults.house import VENUES
from tests.faults.lockstep import Act, Director
from tests.faults.onchain_judges import judge_onchain
from tests.faults.onchain_scenarios import close_by_hand, drawn_onchain, one_signal_onchain
from tests.faults.onchain_stage import OnchainHouse, OnchainStage
from tests.faults.onchain_trouble import OneTrouble, Trouble
from tests.faults.producing import BOUNDS, Producer
from tests.faults.scenarios import Verdict, ended, set_priority
from tests.faults.stage import staged, wallet

SEED = 5
TOOLS = ROOT / ".venv" / "chain" / "node_modules" / "@foundry-rs"
pytestmark = pytest.mark.skipif(
    not TOOLS.exists(), reason="no local chain: make .venv/chain/node_modules/.installed"
)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OnchainHouse]:
    made = OnchainHouse(tmp_path_factory.mktemp("faults"))
    yield made
    made.close()


@pytest.fixture
def stage(house: OnchainHouse) -> Iterator[OnchainStage]:
    with staged(house, OnchainStage) as made:
        yield made


def judges_of(violations: list[str]) -> set[str]:
    return {words.partition(":")[0] for words in violations}


def test_without_a_fault_the_one_signal_fails_over_to_the_chain_and_is_closed(
    stage: OnchainStage,
) -> None:
    verdict = one_signal_onchain(stage, NoFaults())

    assert verdict.violations == []
    entries = stage.rows(
        "SELECT venue, status FROM venue_orders WHERE purpose = 'ENTRY' ORDER BY venue, status"
    )
    assert [(row["venue"], row["status"]) for row in entries] == [
        *[("HYPERLIQUID", "REJECTED")] * 2,
        *[("OSTIUM", "FILLED")] * 2,
    ]
    assert [each.opens for each in stage.chain_book().executions] == [True, True, False, False]


def test_a_seed_replays_exactly_on_a_chain(house: OnchainHouse) -> None:
    def told() -> Verdict:
        with staged(house, OnchainStage) as stage:
            return drawn_onchain(stage, SEED)

    first, second = told(), told()

    assert first.violations == second.violations == []
    assert first.director.struck == second.director.struck
    assert first.director.points == second.director.points


@pytest.mark.parametrize(
    "trouble", [Trouble.DEEP_REORG, Trouble.FORGETS, Trouble.STRANGER, Trouble.SILENT, Trouble.DEAR]
)
def test_trouble_as_an_order_is_broadcast_loses_nothing_and_doubles_nothing(
    stage: OnchainStage, trouble: Trouble
) -> None:
    verdict = one_signal_onchain(stage, NoFaults(), OneTrouble(trouble))

    assert verdict.violations == []
    assert verdict.director.struck == {trouble: 1}


def test_it_is_not_at_rest_before_what_the_keeper_closed_is_final(stage: OnchainStage) -> None:
    """Seed 66: a price goes through the bound at the very end, and time leaps."""
    set_priority(stage, VENUES[::-1])
    agent, producer = stage.agent("one"), Producer(stage)
    stage.follow(agent, wallet("user 0"))
    director = Director(stage, random.Random(1), NoFaults())
    began, opening = stage.clock.now, producer.opens(agent, riskModel=BOUNDS)
    director.acts = [
        Act(began, "a signal", lambda: producer.send(opening)),
        Act(began + 60, "the price moves", partial(stage.set_price, "OSTIUM", "67000")),
    ]

    verdict = ended(director, judged=judge_onchain, looks=True)

    assert verdict.violations == []
    assert [each.opens for each in stage.chain_book().executions] == [True, False]


def test_an_unmined_order_taken_for_expired_is_found(house: OnchainHouse) -> None:
    with house.sabotaged("unmined is expired"), staged(house, OnchainStage) as stage:
        verdict = one_signal_onchain(stage, NoFaults(), OneTrouble(Trouble.STANDS))

    assert "ends agree" in judges_of(verdict.violations)


def test_a_trade_that_the_ledger_does_not_have_is_found(stage: OnchainStage) -> None:
    one_signal_onchain(stage, NoFaults())
    stage.direct.script(
        "SET session_replication_role = replica; DELETE FROM venue_fills"
        " WHERE order_id = (SELECT id FROM venue_orders WHERE purpose = 'CLOSE' LIMIT 1)"
    )

    told = judges_of(judge_onchain(stage, []))

    assert told >= {"fills agree", "exits booked", "money agrees"}


def test_a_close_by_hand_without_a_trade_does_nothing(stage: OnchainStage) -> None:
    close_by_hand(stage, wallet("nobody"))

    assert stage.chain_book().executions == []
