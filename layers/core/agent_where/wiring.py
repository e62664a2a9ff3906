"""Putting the parts together, once per process and not before they are needed.

What trades is in trading.py: a function that only reads or stores never loads it.
"""

from functools import cache, partial
from typing import TYPE_CHECKING

from agent_where.contract.owned import ApprovalView
from agent_where.domain import Mode
from agent_where.errors import BadSetting
from agent_where.queues import Queues
from agent_where.settings import (
    Approving,
    DatabaseAccess,
    KeyMaking,
    OrderQueueAccess,
    QueueAccess,
    SetupSettings,
    SignalIntakeSettings,
    SignalQueueAccess,
)
from agent_where.store._credentials import iam_password, secret_login, secret_password
from agent_where.store.accounts import Accounts
from agent_where.store.administration import Administration
from agent_where.store.connection import Database
from agent_where.store.controls import Controls
from agent_where.store.deployments import AskFor, Unapproved, nothing_to_sign
from agent_where.store.previews import Previews
from agent_where.store.status import Statuses
from agent_where.store.store import Store
from agent_where.store.views import Views

if TYPE_CHECKING:
    from agent_where.execution.keys import Keys
    from agent_where.intake import Intake
    from agent_where.onboarding import Onboarding, Tending
    from agent_where.pipeline import Deps
    from agent_where.previewing import Previewing
    from agent_where.settings import (
        ApiSettings,
        ReconcileSettings,
        RouteExecuteSettings,
        StatsApiSettings,
    )
    from agent_where.status import Status


def database(settings: DatabaseAccess) -> Database:
    """A connection that is opened when first used, with the login the settings tell.

    Only setup logs in as the administrator, if it is given that secret.

    Raises:
        BadSetting: the settings name no database, or no login for it.
    """
    where = settings.database()
    if settings.database_url is not None:
        return Database(where)
    if isinstance(settings, SetupSettings) and settings.db_admin_secret_arn is not None:
        admin = partial(secret_login, settings.db_admin_secret_arn, setting="DB_ADMIN_SECRET_ARN")
        return Database(where, login=admin)
    if settings.db_secret_arn is not None:
        return Database(where, password=partial(secret_password, settings.db_secret_arn))
    region = settings.aws_region
    if region is None:
        raise BadSetting("AWS_REGION is needed to sign a login for DB_HOST")
    token = partial(iam_password, where.host, where.port, where.user, region)
    return Database(where, password=token)


@cache
def _shared(settings: DatabaseAccess) -> Database:
    """One connection for all parts of a process that has these settings."""
    return database(settings)


def forget() -> None:
    """As if the process had just started: what is asked for next gets a connection of its own."""
    _shared.cache_clear()


def connected(settings: DatabaseAccess) -> Database:
    """The database, after it was seen to serve the network of the settings.

    Raises:
        BadSetting: the database serves another network, or setup has not been run.
    """
    opened = _shared(settings)
    network = Store(opened).network()
    if network is None:
        raise BadSetting("the database is not set up: run the setup function first")
    if network != settings.network:
        raise BadSetting(f"NETWORK is {settings.network}, but the database serves {network}")
    return opened


def store(settings: DatabaseAccess) -> Store:
    """The ledger. Raises BadSetting as `connected`."""
    return Store(connected(settings))


def views(settings: "StatsApiSettings") -> Views:
    """What the read side shows. Raises BadSetting as `connected`."""
    return Views(connected(settings), _ask_for(settings))


def administration(settings: "ApiSettings") -> Administration:
    """Writing agents, deployments and config. Raises BadSetting as `connected`."""
    return Administration(connected(settings), _ask_for(settings))


def onboarding(settings: KeyMaking) -> "Onboarding":
    """What gives accounts their keys; on paper none. Raises BadSetting as `connected`."""
    from agent_where.onboarding import Onboarding  # noqa: PLC0415 only who writes needs it
    from agent_where.venues.registry import SIGNED  # noqa: PLC0415

    @cache
    def keys() -> "Keys":
        from agent_where.execution.keys import Keys  # noqa: PLC0415 loads libsecp256k1

        return Keys(allow_env=settings.database().on_loopback, only=settings.signer_key_ref)

    opened = connected(settings)
    return Onboarding(
        Accounts(opened),
        Views(opened, _ask_for(settings)),
        venues=SIGNED & settings.live_at if settings.mode is Mode.LIVE else frozenset(),
        network=settings.network,
        keys=keys,
    )


def tending(settings: "ReconcileSettings") -> "Tending":
    """What sees who may trade; on paper nothing. Raises BadSetting as `connected`."""
    from agent_where.onboarding import Tending, Watched  # noqa: PLC0415 only reconcile needs it
    from agent_where.venues.registry import (  # noqa: PLC0415
        ENDS_FOR_GOOD,
        SIGNED,
        approvals,
        purse,
    )

    reached = {venue for venue in SIGNED if not settings.missing_of({venue})}
    return Tending(
        onboarding(settings),
        Accounts(connected(settings)),
        Watched(
            venues=frozenset(reached) if settings.mode is Mode.LIVE else frozenset(),
            ends_for_good=ENDS_FOR_GOOD,
            least_gas=settings.least_gas_eth,
            approvals=cache(partial(approvals, settings=settings)),
            purse=cache(partial(purse, settings=settings)),
        ),
    )


def _ask_for(settings: Approving) -> AskFor:
    """What makes the approval that a user signs. On paper nobody is asked for any."""
    if settings.mode is Mode.PAPER:
        return nothing_to_sign
    from agent_where.venues.registry import (  # noqa: PLC0415 only live asks
        ENDS_FOR_GOOD,
        Asking,
        approval_request,
    )

    def ask_for(of: Unapproved) -> ApprovalView | None:
        if of.venue not in settings.live_at or (of.was_approved and of.venue in ENDS_FOR_GOOD):
            return None
        asking = Asking(of.account, of.signer_address)
        request = approval_request(of.venue, settings, asking, of.agent_name, of.now)
        return ApprovalView.model_validate(request.model_dump())

    return ask_for


def controls(settings: DatabaseAccess) -> Controls:
    """Setting and listing trading controls. Raises BadSetting as `connected`."""
    return Controls(connected(settings))


def previewing(settings: "StatsApiSettings") -> "Previewing":
    """What a preview works with. Raises BadSetting as `connected`."""
    from agent_where.previewing import Previewing  # noqa: PLC0415 only stats_api needs it
    from agent_where.venues.registry import SUPPORTED  # noqa: PLC0415

    opened = connected(settings)
    return Previewing(
        store=Store(opened),
        previews=Previews(opened),
        supported=SUPPORTED,
        max_age=settings.market_max_age,
    )


def status(settings: "StatsApiSettings") -> "Status":
    """How the system is, also of a database that is away or not set up."""
    from agent_where.status import Status, Terms  # noqa: PLC0415 only stats_api needs it
    from agent_where.venues.registry import SUPPORTED  # noqa: PLC0415

    terms = Terms(network=settings.network, supported=SUPPORTED, max_age=settings.market_max_age)
    return Status(Statuses(_shared(settings)), terms)


@cache
def queues(settings: SignalQueueAccess | OrderQueueAccess) -> Queues:
    """The queues that these settings may know; nothing is opened yet."""
    signals, orders, every = SignalQueueAccess, OrderQueueAccess, QueueAccess
    return Queues(
        signals_url=settings.signal_queue_url if isinstance(settings, signals) else None,
        orders_url=settings.order_queue_url if isinstance(settings, orders) else None,
        dead_letters_url=settings.dead_letter_queue_url if isinstance(settings, every) else None,
    )


def intake(settings: SignalIntakeSettings) -> "Intake":
    """What taking a signal in works with. Raises BadSetting as `connected`."""
    from agent_where.intake import Intake  # noqa: PLC0415 only signal_intake needs it
    from agent_where.venues.registry import SUPPORTED  # noqa: PLC0415

    return Intake(store=store(settings), queues=queues(settings), supported=SUPPORTED)


def deps(settings: "RouteExecuteSettings | ReconcileSettings") -> "Deps":
    """What the pipeline works with. Raises BadSetting as `connected`."""
    from agent_where import trading  # noqa: PLC0415 what only reads never loads it

    return trading.deps(settings)
