"""Putting the parts together, once per process and not before they are needed.

What trades is in trading.py: a function that only reads or stores never loads it.
"""

from functools import cache
from typing import TYPE_CHECKING

from agent_where.errors import BadSetting
from agent_where.queues import Queues
from agent_where.settings import DatabaseAccess, QueueAccess, SignalIntakeSettings
from agent_where.store.administration import Administration
from agent_where.store.connection import Database, DatabaseSettings
from agent_where.store.store import Store
from agent_where.store.views import Views

if TYPE_CHECKING:
    from agent_where.intake import Intake
    from agent_where.pipeline import Deps
    from agent_where.settings import ReconcileSettings, RouteExecuteSettings


def database(settings: DatabaseAccess) -> Database:
    """A connection that is opened when first used, with the login the settings tell."""
    where = settings.database()
    if settings.database_url is not None:
        return Database(where)
    if settings.db_admin_secret_arn is not None:
        return _as_admin(where, settings.db_admin_secret_arn)
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


def _as_admin(where: DatabaseSettings, arn: str) -> Database:
    """Only setup is given the admin's secret; user and password both come from it."""
    from agent_where.store._credentials import secret_login  # noqa: PLC0415 boto3

    user, password = secret_login(arn, setting="DB_ADMIN_SECRET_ARN")
    return Database(where.model_copy(update={"user": user}), password=lambda: password)


def connected(settings: DatabaseAccess) -> Database:
    """The database, after it was seen to serve the network of the settings.

    Raises:
        BadSetting: the database serves another network, or setup has not been run.
    """
    opened = database(settings)
    network = Store(opened).network()
    if network is None:
        raise BadSetting("the database is not set up: run the setup function first")
    if network != settings.network:
        raise BadSetting(f"NETWORK is {settings.network}, but the database serves {network}")
    return opened


def store(settings: DatabaseAccess) -> Store:
    """The ledger. Raises BadSetting as `connected`."""
    return Store(connected(settings))


def views(settings: DatabaseAccess) -> Views:
    """What the read side shows. Raises BadSetting as `connected`."""
    return Views(connected(settings))


def administration(settings: DatabaseAccess) -> Administration:
    """Writing agents, deployments and config. Raises BadSetting as `connected`."""
    return Administration(connected(settings))


@cache
def queues(settings: QueueAccess) -> Queues:
    """The queues of the settings; nothing is opened yet."""
    return Queues(
        signals_url=settings.signal_queue_url,
        orders_url=settings.order_queue_url,
        dead_letters_url=settings.dead_letter_queue_url,
    )


def intake(settings: SignalIntakeSettings) -> "Intake":
    """What taking a signal in works with. Raises BadSetting as `connected`."""
    from agent_where.intake import Intake  # noqa: PLC0415 only signal_intake needs it
    from agent_where.store.arrivals import Arrivals  # noqa: PLC0415
    from agent_where.venues.registry import SUPPORTED  # noqa: PLC0415

    return Intake(
        arrivals=Arrivals(connected(settings)), queues=queues(settings), supported=SUPPORTED
    )


def deps(settings: "RouteExecuteSettings | ReconcileSettings") -> "Deps":
    """What the pipeline works with. Raises BadSetting as `connected`."""
    from agent_where import trading  # noqa: PLC0415 what only reads never loads it

    return trading.deps(settings)
