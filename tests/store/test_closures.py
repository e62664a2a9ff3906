"""What was closed at the venue, and what was opened unexpectedly: the rules the database keeps."""

from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from agent_where.comparing import compare
from agent_where.errors import DatabaseRefused
from agent_where.readiness import prepare
from agent_where.store.connection import Database, DatabaseSettings, Statement
from agent_where.venues.registry import SUPPORTED
from local.postgres import Postgres
from tests.fixtures_database import MIGRATIONS
from tests.netting import NettingWorld
from tests.store.ledger import PRICE, SIZE, Ledger, refused
from tests.store.roles import two_roles

BOOK = """
INSERT INTO venue_closures (venue, venue_fill_id, position_id, size, fill_size, price, fee,
                            closed_by, reason, at, booked_at)
VALUES (CAST(:venue AS venue_t), :fill, :position, :size, :fill_size, :price, :fee,
        :by, :reason, now(), now() - interval '1 day')
"""
SHOW = """
UPDATE positions p
SET open_qty = b.open_qty, pnl = b.pnl, fees_usd = b.fees_usd, exit_price = b.exit_price,
    status = CASE WHEN b.open_qty = 0 THEN 'CLOSED' ELSE 'OPEN' END,
    closed_at = CASE WHEN b.open_qty = 0 THEN now() END
FROM books_of(:id) b WHERE p.id = :id
"""
UNEXPECTED = """
INSERT INTO positions (id, deployment_id, venue, token_symbol, side, qty, entry_price, mode,
                       account, leverage, open_qty, unexpected)
SELECT o.id, o.deployment_id, o.venue, o.token_symbol, o.side, :qty, 1, o.mode,
       o.account, o.leverage, :qty, true
FROM venue_orders o WHERE o.id = :id
"""


class LiveLedger(Ledger):
    """A ledger that trades for real."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.signer = self.new_signer()
        self.nonce = 0

    def planned(self, **different: Any) -> Statement:
        return super().planned(**({"mode": "LIVE"} | different))

    def action(self, order: UUID, **different: Any) -> Statement:
        self.nonce += 1
        return super().action(order, **({"signer": self.signer, "nonce": self.nonce} | different))

    def closure(self, position: UUID, size: Decimal = SIZE, **different: Any) -> Statement:
        """The statement that books a closure."""
        values: dict[str, Any] = {
            "venue": "HYPERLIQUID",
            "fill": f"1:{uuid4()}",
            "position": position,
            "size": size,
            "fill_size": size,
            "price": PRICE,
            "fee": Decimal(1),
            "by": "USER",
            "reason": "USER",
        }
        return BOOK, values | different

    def book(self, position: UUID, size: Decimal = SIZE, **different: Any) -> None:
        """Book a closure, and let the position show it."""
        self.db.run_together(self.closure(position, size, **different), shown(position))

    def another_position(self) -> UUID:
        """Of another signal, in the same market."""
        self.signal = self.new_signal()
        return self.open_position()[1]

    def exit_filled(self, position: UUID, size: Decimal, fill: str) -> UUID:
        """An exit of a position that was filled so far, its position not computed anew."""
        exit_ = self.plan_exit(position)
        self.send(exit_, size=size)
        self.db.run_together(
            self.fill(exit_, size, fill=fill), self.become(exit_, "FILLED", size=size)
        )
        return exit_

    def row(self, position: UUID) -> dict[str, Any]:
        return self.db.run("SELECT * FROM positions WHERE id = :id", id=position)[0]


def shown(position: UUID) -> Statement:
    return SHOW, {"id": position}


@pytest.fixture
def live(ledger_database: Database) -> LiveLedger:
    return LiveLedger(ledger_database)


# Closures


def test_a_closure_and_its_position_are_written_together(live: LiveLedger) -> None:
    _, position = live.open_position()

    with refused("its position does not show it"):
        live.db.run_together(live.closure(position))
    live.book(position, SIZE / 2)
    with refused("its position does not show it"):
        live.db.run_together(live.closure(position, SIZE / 4))
    live.book(position, SIZE / 2)

    row = live.row(position)
    assert (row["status"], row["open_qty"], row["exit_price"]) == ("CLOSED", 0, PRICE)
    assert (row["fees_usd"], row["pnl"]) == (3, -3)


def test_a_closure_never_closes_more_than_is_open(live: LiveLedger) -> None:
    _, position = live.open_position()

    with refused("it closes more than is open"):
        live.book(position, SIZE + Decimal("0.001"))
    live.book(position, SIZE / 2)
    with refused("it closes more than is open"):
        live.book(position, SIZE)
    with refused("it closes more than is open"):
        live.db.run_together(
            live.closure(position, SIZE / 2), live.closure(position, SIZE / 2), shown(position)
        )

    assert live.row(position)["open_qty"] == SIZE / 2


def test_a_closed_position_is_closed_no_further(live: LiveLedger) -> None:
    _, position = live.open_position()
    live.book(position)

    with refused("no open position of its venue"):
        live.book(position)


def test_only_what_is_traded_for_real_at_that_venue_is_closed_there(live: LiveLedger) -> None:
    _, position = live.open_position()
    _, on_paper = Ledger(live.db).open_position()

    for wrong in (live.closure(position, venue="OSTIUM"), live.closure(uuid4())):
        with refused("no open position of its venue is traded for real"):
            live.db.run_together(wrong)
    with refused("no open position of its venue is traded for real"):
        live.book(on_paper)


def test_an_execution_takes_from_each_position_once_and_never_more_than_it_was(
    live: LiveLedger,
) -> None:
    _, first = live.open_position()
    second = live.another_position()
    whole = {"fill": f"1:{uuid4()}", "fill_size": SIZE}
    live.book(first, SIZE / 2, **whole)

    with refused("venue_closures_pkey"):
        live.book(first, SIZE / 4, **whole)
    with refused("more of it is booked than was executed"):
        live.book(second, SIZE * Decimal("0.75"), **whole)
    with refused("venue_closures_part"):
        live.book(second, SIZE * 2, **whole)
    live.book(second, SIZE / 2, **whole)

    assert [live.row(each)["open_qty"] for each in (first, second)] == [SIZE / 2, SIZE / 2]


def test_what_an_exit_closed_of_its_own_position_is_not_booked_as_a_closure_too(
    live: LiveLedger,
) -> None:
    _, first = live.open_position()
    second = live.another_position()
    live.book(first, SIZE / 2)
    fill = f"2:{uuid4()}"
    live.exit_filled(first, SIZE / 2, fill)
    live.db.run_together(shown(first))

    with refused("more of it is booked than was executed"):
        live.book(second, SIZE / 2, fill=fill)


def test_what_an_exit_closed_beyond_its_own_position_is_booked_for_another(
    live: LiveLedger,
) -> None:
    """It was sent for the whole position, half of which the user had closed meanwhile."""
    _, first = live.open_position()
    second = live.another_position()
    fill = f"2:{uuid4()}"
    exit_ = live.plan_exit(first)
    live.send(exit_)
    live.book(first, SIZE / 2)
    live.db.run_together(live.fill(exit_, fill=fill), live.become(exit_, "FILLED"), shown(first))

    with refused("more of it is booked than was executed"):
        live.book(second, SIZE, fill=fill, fill_size=SIZE)
    with refused("more of it is booked than was executed"):
        live.book(second, SIZE / 4, fill=fill, fill_size=SIZE / 2)  # it was not of that size
    live.book(second, SIZE / 2, fill=fill, fill_size=SIZE, fee=Decimal("0.5"))

    first_row, second_row = live.row(first), live.row(second)
    assert (first_row["status"], second_row["open_qty"]) == ("CLOSED", SIZE / 2)
    assert first_row["fees_usd"] + second_row["fees_usd"] == 2 + 1 + 1  # entries, closure, exit


def test_an_entry_s_own_fill_closes_nothing(live: LiveLedger) -> None:
    order, position = live.open_position()
    (own,) = live.db.run("SELECT venue_fill_id FROM venue_fills WHERE order_id = :id", id=order)

    with refused("more of it is booked than was executed"):
        live.book(position, fill=own["venue_fill_id"])


def test_closures_are_append_only_and_booked_when_they_are(live: LiveLedger) -> None:
    _, position = live.open_position()
    live.book(position, SIZE / 2)

    (row,) = live.db.run(
        "SELECT booked_at > now() - interval '1 minute' AS now FROM venue_closures"
        " WHERE position_id = :id",
        id=position,
    )
    assert row["now"]
    for write in (
        "UPDATE venue_closures SET size = 1",
        "DELETE FROM venue_closures",
        "TRUNCATE venue_closures",
    ):
        with refused("venue_closures is append-only"):
            live.db.run(write)


@pytest.mark.parametrize(
    "wrong",
    [{"size": Decimal(0)}, {"price": Decimal(0)}, {"by": "NOBODY"}, {"reason": ""}],
    ids=["no size", "no price", "nobody", "no reason"],
)
def test_a_closure_says_what_closed_it(live: LiveLedger, wrong: dict[str, Any]) -> None:
    _, position = live.open_position()

    with refused("venue_closures_"):
        live.db.run_together(live.closure(position, **wrong))


def test_what_was_closed_is_not_open_again(live: LiveLedger) -> None:
    _, position = live.open_position()
    live.book(position, SIZE / 2)

    with refused("what was closed is not open again"):
        live.db.run("UPDATE positions SET open_qty = qty WHERE id = :id", id=position)


# Unexpected positions


def late(live: LiveLedger, status: str = "EXPIRED", **different: Any) -> UUID:
    """An order that ended so, and was executed all the same."""
    order = live.bring_to(status, **different)
    live.db.run_together(live.fill(order))
    return order


@pytest.mark.parametrize("status", ["EXPIRED", "REJECTED"])
def test_an_unexpected_position_is_its_order_s(live: LiveLedger, status: str) -> None:
    order = late(live, status)

    with refused("no order of that id executed after it had ended"):
        live.db.run(UNEXPECTED, id=order, qty=SIZE / 2)
    live.db.run(UNEXPECTED, id=order, qty=SIZE)

    with refused("positions_pkey"):
        live.db.run(UNEXPECTED, id=order, qty=SIZE)
    assert live.status(order) == status
    with refused("what was opened is never changed"):
        live.db.run("UPDATE positions SET unexpected = false WHERE id = :id", id=order)


def test_no_other_order_opens_an_unexpected_position(live: LiveLedger) -> None:
    filled, _ = live.open_position()
    live.signal = live.new_signal()
    never_executed = live.bring_to("EXPIRED")
    live.signal = live.new_signal()
    _, position = live.open_position()
    exit_ = late(live, position_id=position, purpose="CLOSE", leg="CLOSE", side="SHORT")

    for order in (filled, never_executed, exit_):
        with refused("no order of that id executed after it had ended"):
            live.db.run(UNEXPECTED, id=order, qty=SIZE)


def test_only_an_unexpected_position_has_no_signal(live: LiveLedger) -> None:
    order = late(live)
    told = UNEXPECTED.replace(", unexpected)", ", unexpected, signal_id)")

    with refused("has_no_signal", constraint="positions_unexpected_has_no_signal"):
        live.db.run(
            told.replace(":qty, true", ":qty, true, CAST(:signal AS uuid)"),
            id=order,
            qty=SIZE,
            signal=live.signal,
        )
    with refused("has_no_signal", constraint="positions_unexpected_has_no_signal"):
        live.db.run(told.replace(":qty, true", ":qty, false, NULL"), id=order, qty=SIZE)


def test_an_unexpected_position_leaves_its_signal_s_own_place_free(live: LiveLedger) -> None:
    """What the signal opens elsewhere comes later."""
    order = late(live)
    live.db.run(UNEXPECTED, id=order, qty=SIZE)
    elsewhere = live.plan(attempt=2)

    with refused("an earlier attempt did execute"):
        live.send(elsewhere)
    live.db.run(
        "INSERT INTO positions (deployment_id, signal_id, venue, token_symbol, side, qty,"
        " entry_price) VALUES (:d, :s, 'OSTIUM', 'BTC', 'LONG', 1, 1)",
        d=live.deployment,
        s=live.signal,
    )


def test_the_books_of_an_unexpected_position_are_its_order_s_fills(live: LiveLedger) -> None:
    order = late(live)
    live.db.run(UNEXPECTED, id=order, qty=SIZE)

    live.book(order, price=PRICE + 10)

    row = live.row(order)
    assert (row["status"], row["fees_usd"], row["pnl"]) == ("CLOSED", 2, SIZE * 10 - 2)


# Roles


def test_the_application_s_role_compares_books_and_opens_what_was_unexpected(
    postgres: Postgres,
) -> None:
    with two_roles(postgres) as roles:
        with roles.as_role(roles.admin) as admin:
            prepare(admin, MIGRATIONS, roles.settings(), SUPPORTED)
        superuser = Database(DatabaseSettings.from_url(postgres.dsn(roles.name)))
        with roles.as_role(roles.app) as app:
            world = NettingWorld(roles.dsn(roles.app), database=app)
            world.listed()
            wallet = world.user()
            agent = world.follower(wallet)
            world.buy(agent, "2", riskModel={"stopLoss": "0.2"})
            world.place.forgetful = True
            world.open(agent)
            world.work()
            world.place.liquidate(wallet, "BTC/USD")
            world.pass_time(hand=superuser)

            done = compare(world.deps, seconds=30)

            assert (done.booked, done.unexplained) == (3, 0)
            assert [row["closed_by"] for row in world.positions()] == ["LIQUIDATION"] * 2
            for forbidden in (
                "UPDATE venue_closures SET size = 1",
                "DELETE FROM venue_closures",
                "TRUNCATE venue_closures",
                "DROP TRIGGER venue_closures_whole ON venue_closures",
            ):
                with pytest.raises(DatabaseRefused) as refusal:
                    app.run(forbidden)
                assert refusal.value.sqlstate == "42501"  # no trigger was asked
        superuser.close()
