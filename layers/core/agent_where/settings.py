"""The environment as models, read when first used and never at import. One model per function."""

from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, model_validator

from agent_where.domain import TRADABLE_VENUES, Mode, VenueId
from agent_where.environment import Settings
from agent_where.errors import BadSetting
from agent_where.store.database_settings import DatabaseSettings
from agent_where.venue_settings import ApprovalPlaces, MarketAccess, TradedAccess

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class DatabaseAccess(Settings):
    """Where the database is: a URL, or a host with an IAM token or a secret."""

    network: Literal["mainnet", "testnet"] = "mainnet"
    database_url: SecretStr | None = None
    db_host: str | None = None
    db_port: int = 5432
    db_name: str | None = None
    db_user: str | None = None
    db_secret_arn: str | None = None
    db_ca_file: str | None = None
    aws_region: str | None = None

    @model_validator(mode="after")
    def some_database(self) -> Self:
        if self.database_url is None and not (self.db_host and self.db_name and self.db_user):
            raise ValueError("DATABASE_URL is needed, or DB_HOST, DB_NAME and DB_USER")
        return self

    @property
    def logs_in_with_iam(self) -> bool:
        """Whether the functions' role has tokens for a password."""
        return self.database_url is None and self.db_secret_arn is None

    def database(self) -> DatabaseSettings:
        """What the connection needs. Raises BadSetting for a bad DATABASE_URL."""
        if self.database_url is not None:
            return DatabaseSettings.from_url(self.database_url.get_secret_value())
        try:
            return DatabaseSettings.model_validate(
                {
                    "host": self.db_host,
                    "port": self.db_port,
                    "name": self.db_name,
                    "user": self.db_user,
                    "ca_file": self.db_ca_file,
                }
            )
        except ValidationError as error:
            raise BadSetting(f"DB_HOST, DB_NAME or DB_USER: {error.errors()[0]['msg']}") from None


class AnsweringAccess(DatabaseAccess):
    """The database of a function whose caller waits: no round trip outlasts his patience."""

    def database(self) -> DatabaseSettings:
        """As `DatabaseAccess.database`, with time-outs that leave room to answer in six seconds."""
        patience = {"statement_timeout_ms": 4_000, "round_trip_seconds": 5}
        return super().database().model_copy(update=patience)


class SignalQueueAccess(Settings):
    """The queue of signals; a function is given the queues that it may use."""

    signal_queue_url: str | None = None


class OrderQueueAccess(Settings):
    """The queue of orders."""

    order_queue_url: str | None = None


class QueueAccess(SignalQueueAccess, OrderQueueAccess):
    """All queues."""

    dead_letter_queue_url: str | None = None

    def queue_url(self, arn: str) -> str:
        """The URL of the queue that an event's ARN names.

        Raises:
            BadSetting: no queue of that name is set.
        """
        name = arn.rsplit(":", 1)[-1]
        known = (self.signal_queue_url, self.order_queue_url, self.dead_letter_queue_url)
        for url in known:
            if url and url.rsplit("/", 1)[-1] == name:
                return url
        raise BadSetting(f"a message came from {name}, which no queue URL of the settings names")


class MarketAge(Settings):
    """How old a market's last sync may be for an entry."""

    market_max_age_minutes: Annotated[int, Field(gt=0)] = 60

    @property
    def market_max_age(self) -> timedelta:
        return timedelta(minutes=self.market_max_age_minutes)


class Execution(Settings):
    """Whether trading is for real, which has to be asked for by name."""

    execution_mode: Literal["paper", "live"] = "paper"
    live_venues: Annotated[str, Field(pattern=r"^[A-Z]+(,[A-Z]+)*$")] = "HYPERLIQUID"

    @model_validator(mode="after")
    def venues_are_known(self) -> Self:
        if unknown := sorted(self.live_at - {*TRADABLE_VENUES}):
            raise ValueError(f"LIVE_VENUES names no venue with {unknown[0]}")
        return self

    @property
    def mode(self) -> Mode:
        return Mode(self.execution_mode.upper())

    @property
    def live_at(self) -> frozenset[VenueId]:
        """Where live orders may open something."""
        return frozenset(self.live_venues.split(","))


class Approving(Execution, ApprovalPlaces):
    """How a user is asked to let a key trade."""


class KeyMaking(Approving, DatabaseAccess):
    """How an account comes to its key: made in KMS, or on a laptop the one of the environment."""

    signer_key_ref: Annotated[str, Field(pattern=r"^env:[A-Z][A-Z0-9_]*$")] | None = None

    @model_validator(mode="after")
    def a_laptop_s_key_stays_there(self) -> Self:
        if self.signer_key_ref is not None and not self.database().on_loopback:
            raise ValueError("SIGNER_KEY_REF is only for a database on loopback")
        return self


class Trading(MarketAge, Execution):
    """How orders are carried out."""

    max_order_notional_usd: Annotated[Decimal, Field(gt=0)] | None = None
    paper_starting_balance_usd: Annotated[Decimal, Field(ge=0)] = Decimal(10_000)
    paper_slippage_bps: Annotated[Decimal, Field(ge=0, lt=10_000)] = Decimal(2)
    paper_depth_usd: Annotated[Decimal, Field(gt=0)] = Decimal(1_000_000)

    @model_validator(mode="after")
    def live_has_a_ceiling(self) -> Self:
        if self.mode is Mode.LIVE and self.max_order_notional_usd is None:
            raise ValueError("MAX_ORDER_NOTIONAL_USD is needed where EXECUTION_MODE is live")
        return self


class LiveTrading(Trading, TradedAccess):
    """How orders are carried out at the venues themselves."""

    @model_validator(mode="after")
    def each_live_venue_can_be_reached(self) -> Self:
        if self.mode is Mode.LIVE and (name := self.missing_of(self.live_at)):
            raise ValueError(f"{name} is needed for what LIVE_VENUES names")
        return self


class SignalIntakeSettings(AnsweringAccess, SignalQueueAccess):
    """signal_intake: stores a signal and sends its id."""


class RouteExecuteSettings(DatabaseAccess, QueueAccess, LiveTrading):
    """route_execute: decides signals and carries out orders."""


class MarketSyncSettings(DatabaseAccess, OrderQueueAccess, MarketAccess):
    """market_sync: reads the venues' markets."""


class ReconcileSettings(QueueAccess, LiveTrading, KeyMaking):
    """reconcile: finds what was lost, settles what is open, sees who may trade."""

    ostium_min_gas_eth: Annotated[Decimal, Field(ge=0)] = Decimal("0.001")

    @property
    def least_gas_eth(self) -> Decimal:
        """Below it a key that pays for its transactions is low on gas."""
        return self.ostium_min_gas_eth


class ApiSettings(AnsweringAccess, KeyMaking):
    """config_api: writes what operators and users set, and gives accounts their keys."""


class StatsApiSettings(AnsweringAccess, MarketAge, Approving):
    """stats_api: reads, and previews decisions."""


class SetupSettings(DatabaseAccess, QueueAccess, MarketAge):
    """setup: migrates, as the administrator if it is given that secret, and reports."""

    db_admin_secret_arn: str | None = None
    db_reader_user: str | None = None


class DoctorSettings(DatabaseAccess, QueueAccess, TradedAccess):
    """doctor: looks at everything and changes nothing."""

    def database(self) -> DatabaseSettings:
        """As `DatabaseAccess.database`, for reading alone, and patient: it reads whole tables."""
        patience = {"statement_timeout_ms": 30_000, "read_only": True}
        return super().database().model_copy(update=patience)


class OperateSettings(DatabaseAccess, QueueAccess):
    """operate: what an operator does after an accident."""


class AuthorizerSettings(Settings):
    """authorizer: verifies tokens. It knows no database and no queue."""

    jwt_issuer: Annotated[str, Field(min_length=1)]
    jwt_audience: Annotated[str, Field(min_length=1)]
    jwt_jwks_url: str | None = None
    jwt_scope_claim: str = "scope"
    jwt_scope_prefix: str = ""
    jwt_wallet_claim: str = "wallet"

    @model_validator(mode="after")
    def keys_come_safely(self) -> Self:
        if not _is_safe(self.jwks_url):
            name = "JWT_ISSUER" if self.jwt_jwks_url is None else "JWT_JWKS_URL"
            raise ValueError(f"{name} must be an https URL; plain http is for loopback alone")
        return self

    @property
    def jwks_url(self) -> str:
        """Where the issuer's keys are read."""
        return self.jwt_jwks_url or f"{self.jwt_issuer.rstrip('/')}/.well-known/jwks.json"


def _is_safe(url: str) -> bool:
    """Whether an answer from there is the one that its host meant."""
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or parts.username is not None or any(sign.isspace() for sign in url):
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)
