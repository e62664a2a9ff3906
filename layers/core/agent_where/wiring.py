"""Putting the parts together, once per process and not before they are needed."""

from functools import cache

from agent_where.domain import VenueId
from agent_where.errors import BadSetting
from agent_where.execution.executor import Executor
from agent_where.pipeline import Deps
from agent_where.queues import Queues
from agent_where.settings import (
    DatabaseAccess,
    QueueAccess,
    ReconcileSettings,
    RouteExecuteSettings,
    Trading,
)
from agent_where.store.connection import Database
from agent_where.store.store import Store
from agent_where.venues.base import Venue
from agent_where.venues.registry import SUPPORTED, paper_venue


def database(settings: DatabaseAccess) -> Database:
    """A connection that is opened when first used, with the login the settings tell."""
    where = settings.database()
    if settings.database_url is not None:
        return Database(where)
    if settings.db_secret_arn is not None:
        arn = settings.db_secret_arn

        def from_secret() -> str:
            from agent_where.store._credentials import secret_password  # noqa: PLC0415 boto3

            return secret_password(arn)

        return Database(where, password=from_secret)
    region = settings.aws_region
    if region is None:
        raise BadSetting("AWS_REGION is needed to sign a login for DB_HOST")

    def token() -> str:
        from agent_where.store._credentials import iam_password  # noqa: PLC0415 botocore

        return iam_password(where.host, where.port, where.user, region)

    return Database(where, password=token)


def store(settings: DatabaseAccess) -> Store:
    """The store, after the database was seen to serve the network of the settings.

    Raises:
        BadSetting: the database serves another network, or setup has not been run.
    """
    opened = Store(database(settings))
    network = opened.network()
    if network is None:
        raise BadSetting("the database is not set up: run the setup function first")
    if network != settings.network:
        raise BadSetting(f"NETWORK is {settings.network}, but the database serves {network}")
    return opened


def queues(settings: QueueAccess) -> Queues:
    """The queues of the settings; nothing is opened yet."""
    return Queues(
        signals_url=settings.signal_queue_url,
        orders_url=settings.order_queue_url,
        dead_letters_url=settings.dead_letter_queue_url,
    )


def deps(settings: RouteExecuteSettings | ReconcileSettings) -> Deps:
    """What the pipeline works with."""
    ledger = store(settings)

    @cache
    def executor() -> Executor:
        return Executor(
            ledger,
            lambda venue: _venue(venue, settings, ledger),
            supported=SUPPORTED,
            max_age=settings.market_max_age,
        )

    return Deps(
        store=ledger,
        queues=queues(settings),
        executor=executor,
        supported=SUPPORTED,
        mode=settings.mode,
        max_age=settings.market_max_age,
    )


def _venue(venue: VenueId, settings: Trading, ledger: Store) -> Venue:
    return paper_venue(
        venue,
        settings,
        lambda account, of: ledger.paper_collateral(
            account, of, settings.paper_starting_balance_usd
        ),
    )
