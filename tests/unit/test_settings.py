"""Settings: read when asked for, named when bad, never echoed when secret, all documented."""

import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import SecretStr

from agent_where import settings
from agent_where.domain import Mode
from agent_where.environment import Settings
from agent_where.errors import BadSetting
from agent_where.settings import (
    ApiSettings,
    AuthorizerSettings,
    DatabaseAccess,
    KeyMaking,
    MarketSyncSettings,
    QueueAccess,
    ReconcileSettings,
    RouteExecuteSettings,
    SetupSettings,
    SignalIntakeSettings,
    StatsApiSettings,
    Trading,
)
from agent_where.venue_settings import ApprovalPlaces, MarketAccess, TradedAccess
from tests.unit.reads import read_by

LAPTOP = {"DATABASE_URL": "postgresql://someone:hidden@127.0.0.1:5432/ledger"}
READ_BY: Mapping[str, type[Settings]] = {
    "signal_intake": SignalIntakeSettings,
    "route_execute": RouteExecuteSettings,
    "market_sync": MarketSyncSettings,
    "reconcile": ReconcileSettings,
    "config_api": ApiSettings,
    "stats_api": StatsApiSettings,
    "setup": SetupSettings,
    "authorizer": AuthorizerSettings,
}


class ByNetwork(ApprovalPlaces, MarketAccess, TradedAccess):
    """All that has the network's own for a default."""


DOC = Path(__file__).parents[2] / "docs" / "settings.md"
ROW = re.compile(
    r"^\| `(?P<name>[A-Z_]+)` \| (?P<default>[^|]+) \| (?P<read_by>[^|]+) \|", re.MULTILINE
)


def test_defaults_are_what_the_design_says() -> None:
    read = RouteExecuteSettings.from_environment(LAPTOP)

    assert (read.network, read.execution_mode, read.market_max_age_minutes) == (
        "mainnet",
        "paper",
        60,
    )
    assert read.paper_starting_balance_usd == Decimal(10_000)
    assert read.signal_queue_url is None


def test_an_empty_variable_counts_as_not_set() -> None:
    read = RouteExecuteSettings.from_environment(
        LAPTOP | {"NETWORK": "", "MARKET_MAX_AGE_MINUTES": "", "ORDER_QUEUE_URL": ""}
    )

    assert (read.network, read.market_max_age_minutes, read.order_queue_url) == (
        "mainnet",
        60,
        None,
    )


def test_the_environment_is_read_when_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MARKET_MAX_AGE_MINUTES", "7")
    first = Trading.from_environment()
    monkeypatch.setenv("MARKET_MAX_AGE_MINUTES", "8")

    assert (first.market_max_age_minutes, Trading.from_environment().market_max_age_minutes) == (
        7,
        8,
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NETWORK", "moonnet"),
        ("DB_PORT", "five"),
        ("EXECUTION_MODE", "real"),
        ("MARKET_MAX_AGE_MINUTES", "0"),
        ("MARKET_MAX_AGE_MINUTES", "soon"),
        ("HYPERLIQUID_WEIGHT_PER_MINUTE", "199"),
        ("HYPERLIQUID_WEIGHT_PER_MINUTE", "1201"),
        ("MAX_ORDER_NOTIONAL_USD", "0"),
        ("MAX_ORDER_NOTIONAL_USD", "NaN"),
        ("PAPER_STARTING_BALANCE_USD", "-1"),
        ("PAPER_STARTING_BALANCE_USD", "NaN"),
        ("PAPER_SLIPPAGE_BPS", "10000"),
        ("PAPER_DEPTH_USD", "0"),
        ("PAPER_DEPTH_USD", "Infinity"),
    ],
)
def test_a_bad_setting_is_named_and_no_secret_is_told(name: str, value: str) -> None:
    with pytest.raises(BadSetting, match=rf"^bad settings: {name}: ") as caught:
        RouteExecuteSettings.from_environment(LAPTOP | {name: value})

    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize("model", [RouteExecuteSettings, ReconcileSettings])
def test_live_is_asked_for_by_name_and_needs_a_ceiling(model: type[Trading]) -> None:
    live = LAPTOP | {"EXECUTION_MODE": "live", "NETWORK": "testnet"}

    with pytest.raises(BadSetting, match="MAX_ORDER_NOTIONAL_USD is needed where EXECUTION_MODE"):
        model.from_environment(live)

    assert model.from_environment(LAPTOP).mode is Mode.PAPER
    assert model.from_environment(live | {"MAX_ORDER_NOTIONAL_USD": "50"}).mode is Mode.LIVE


@pytest.mark.parametrize("model", [ApiSettings, ReconcileSettings])
def test_a_laptops_key_is_named_and_only_for_a_database_on_loopback(
    model: type[KeyMaking],
) -> None:
    named = {"SIGNER_KEY_REF": "env:AGENT_KEY"}
    elsewhere = {"DB_HOST": "db.example", "DB_NAME": "ledger", "DB_USER": "worker"}

    assert model.from_environment(LAPTOP | named).signer_key_ref == "env:AGENT_KEY"
    with pytest.raises(BadSetting, match="SIGNER_KEY_REF is only for a database on loopback"):
        model.from_environment(elsewhere | named)


@pytest.mark.parametrize("value", ["kms:1234", "env:lower", "AGENT_KEY", "0x" + "01" * 32])
def test_what_is_no_name_of_a_laptops_key_is_refused_and_not_told(value: str) -> None:
    with pytest.raises(BadSetting, match=r"^bad settings: SIGNER_KEY_REF: ") as caught:
        ApiSettings.from_environment(LAPTOP | {"SIGNER_KEY_REF": value})

    assert value not in str(caught.value)


def test_every_bad_setting_is_named_at_once() -> None:
    with pytest.raises(BadSetting) as caught:
        MarketSyncSettings.from_environment(
            LAPTOP | {"DB_PORT": "x", "VENUE_TIMEOUT_SECONDS": "10.5", "NETWORK": "moonnet"}
        )

    assert all(
        name in str(caught.value) for name in ("DB_PORT", "VENUE_TIMEOUT_SECONDS", "NETWORK")
    )


@pytest.mark.parametrize("known", [{}, {"DB_HOST": "h"}, {"DB_HOST": "h", "DB_NAME": "n"}])
def test_without_a_database_the_settings_that_would_name_one_are_told(
    known: dict[str, str],
) -> None:
    with pytest.raises(
        BadSetting,
        match=r"^bad settings: .*DATABASE_URL is needed, or DB_HOST, DB_NAME and DB_USER",
    ):
        ReconcileSettings.from_environment(known)


def test_a_database_url_is_never_echoed() -> None:
    read = DatabaseAccess.from_environment(LAPTOP)

    assert isinstance(read.database_url, SecretStr)
    assert "hidden" not in f"{read!r} {read} {read.model_dump()}"
    assert "hidden" not in f"{read.database()!r}"


@pytest.mark.parametrize(
    "url", ["mysql://u:hidden@h/n", "postgresql://u:hidden@/n", "postgresql://u:hidden@h:x/n", "h"]
)
def test_a_bad_database_url_is_named_without_its_password(url: str) -> None:
    with pytest.raises(BadSetting, match="DATABASE_URL") as caught:
        DatabaseAccess.from_environment({"DATABASE_URL": url}).database()

    assert "hidden" not in str(caught.value)


def test_a_host_with_its_name_and_user_makes_a_database() -> None:
    where = DatabaseAccess.from_environment(
        {"DB_HOST": "db.example", "DB_NAME": "ledger", "DB_USER": "worker", "DB_PORT": "5433"}
    ).database()

    assert (where.host, where.port, where.name, where.user) == (
        "db.example",
        5433,
        "ledger",
        "worker",
    )
    assert where.encrypted


@pytest.mark.parametrize("network", ["mainnet", "testnet"])
def test_a_venue_s_address_is_the_network_s_own_unless_it_is_set(network: str) -> None:
    own = MarketAccess.from_environment({"NETWORK": network})
    set_ = MarketAccess.from_environment(
        {"NETWORK": network, "HYPERLIQUID_API_URL": "http://127.0.0.1:1"}
    )

    assert ("testnet" in own.hyperliquid_api_url) == (network == "testnet")
    assert own.ostium_subgraph_url.startswith("https://")
    assert set_.hyperliquid_api_url == "http://127.0.0.1:1"
    assert set_.ostium_price_url == own.ostium_price_url


def test_a_queue_is_found_by_the_name_in_its_arn() -> None:
    read = QueueAccess.from_environment(
        {
            "SIGNAL_QUEUE_URL": "http://127.0.0.1:4570/000000000000/signals.fifo",
            "ORDER_QUEUE_URL": "http://127.0.0.1:4570/000000000000/orders.fifo",
        }
    )

    url = read.queue_url("arn:aws:sqs:eu-west-1:000000000000:orders.fifo")

    assert url == read.order_queue_url
    with pytest.raises(BadSetting, match=r"a message came from other\.fifo"):
        read.queue_url("arn:aws:sqs:eu-west-1:000000000000:other.fifo")


@pytest.mark.parametrize("function", READ_BY)
def test_every_setting_of_a_function_is_read_by_its_code(function: str) -> None:
    dead = READ_BY[function].model_fields.keys() - read_by(function)

    assert dead == set()


def test_the_code_of_a_function_is_told_from_that_of_another() -> None:
    """Else the test above could not fail."""
    assert "paper_depth_usd" in read_by("reconcile")
    assert "paper_depth_usd" not in read_by("stats_api")
    assert "market_max_age_minutes" in read_by("setup") - read_by("config_api")


def test_only_setup_can_know_the_administrator_s_secret() -> None:
    knowing = {
        function
        for function, model in READ_BY.items()
        if "db_admin_secret_arn" in model.model_fields
    }

    assert knowing == {"setup"}


ISSUER = {"JWT_ISSUER": "https://issuer.example/", "JWT_AUDIENCE": "agent-where"}


def test_the_keys_are_where_openid_puts_them_unless_a_url_is_set() -> None:
    own = AuthorizerSettings.from_environment(ISSUER)
    pool = AuthorizerSettings.from_environment(
        ISSUER | {"JWT_ISSUER": "https://cognito.example/pool"}
    )
    set_ = AuthorizerSettings.from_environment(
        ISSUER | {"JWT_ISSUER": "a name", "JWT_JWKS_URL": "https://keys.example/all"}
    )

    assert own.jwks_url == "https://issuer.example/.well-known/jwks.json"
    assert pool.jwks_url == "https://cognito.example/pool/.well-known/jwks.json"
    assert set_.jwks_url == "https://keys.example/all"


@pytest.mark.parametrize("host", ["127.0.0.1:4571", "localhost:4571", "[::1]:4571"])
def test_plain_http_serves_the_keys_on_loopback(host: str) -> None:
    read = AuthorizerSettings.from_environment(ISSUER | {"JWT_ISSUER": f"http://{host}/tokens"})

    assert read.jwks_url == f"http://{host}/tokens/.well-known/jwks.json"


@pytest.mark.parametrize("name", ["JWT_ISSUER", "JWT_JWKS_URL"])
@pytest.mark.parametrize(
    "url",
    [
        "http://issuer.example/",
        "http://127.0.0.1.issuer.example/",
        "http://localhost@issuer.example/",
        "https://someone@issuer.example/",
        "https://issuer.example:port/",
        "https://issuer.example/ keys",
        "https:///keys",
        "https://[::1/keys",
        "ftp://issuer.example/",
        "file:///keys.json",
        "issuer.example",
    ],
)
def test_keys_that_would_not_come_safely_are_refused_by_name(name: str, url: str) -> None:
    with pytest.raises(BadSetting, match=f"^bad settings: .*{name} must be an https URL"):
        AuthorizerSettings.from_environment(ISSUER | {name: url})


@pytest.mark.parametrize("name", ["JWT_ISSUER", "JWT_AUDIENCE"])
def test_nobody_is_believed_without_an_issuer_and_an_audience(name: str) -> None:
    with pytest.raises(BadSetting, match=f"^bad settings: {name}: Field required"):
        AuthorizerSettings.from_environment({**ISSUER, name: ""})


def models() -> set[type[Settings]]:
    """Every model of settings in the module."""
    return {
        each
        for each in vars(settings).values()
        if isinstance(each, type) and issubclass(each, Settings) and each is not Settings
    }


def documented() -> dict[str, tuple[str, str]]:
    """The doc's rows: default and readers of each setting."""
    return {
        row["name"]: (row["default"].strip(), row["read_by"].strip())
        for row in ROW.finditer(DOC.read_text(encoding="utf-8"))
    }


def test_the_document_lists_every_setting_and_no_other() -> None:
    known = {name.upper() for model in models() for name in model.model_fields}

    assert documented().keys() == known


@pytest.mark.parametrize("name", sorted(documented()))
def test_the_document_says_which_functions_read_a_setting(name: str) -> None:
    readers = [
        function for function, model in READ_BY.items() if name.lower() in model.model_fields
    ]

    told = documented()[name][1]
    with_a_database = [function for function in READ_BY if function != "authorizer"]

    assert told == ("all" if readers == with_a_database else ", ".join(readers))


@pytest.mark.parametrize("name", sorted(documented()))
def test_the_document_tells_the_default(name: str) -> None:
    field = next(
        model.model_fields[name.lower()]
        for model in READ_BY.values()
        if name.lower() in model.model_fields
    )
    told = documented()[name][0]

    if told == "by network":
        assert ByNetwork.from_environment({}).model_dump()[name.lower()]
    else:
        assert told == (
            "required"
            if field.is_required()
            else "none"
            if field.default in (None, "")
            else f"{field.default:g}"
            if isinstance(field.default, float)
            else str(field.default)
        )


def test_every_function_that_reads_settings_is_in_the_document_s_table() -> None:
    functions = {path.parent.name for path in (DOC.parents[1] / "functions").glob("*/app.py")}

    assert functions == set(READ_BY)


def test_the_document_on_tokens_tells_how_to_set_each_of_their_settings() -> None:
    text = (DOC.parent / "authentication.md").read_text(encoding="utf-8")
    told = set(re.findall(r"^\| `(JWT_[A-Z_]+)` \|", text, re.MULTILINE))

    assert told == {name.upper() for name in AuthorizerSettings.model_fields}
