"""The whole project on this machine: database, venues, local AWS and the deployed template."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from fcntl import LOCK_EX, LOCK_NB, flock
from typing import Any, Literal

from local import postgres
from local.aws import build, deploy, start_ministack
from local.environment import Home
from local.gateway import apply_gateway_responses
from local.issuer import AUDIENCE, ISSUER, Issuer, serving
from local.processes import StepFailed, end_leftovers
from local.progress import Step
from local.stack import BUCKET, FunctionFailed, LocalAws, Stack
from local.venues import Venues, ask, start_venues, tell

Network = Literal["mainnet", "testnet"]
_LIVE = {
    "ExecutionMode": "live",
    "LiveVenues": "HYPERLIQUID,OSTIUM",
    "Network": "testnet",
    "MaxOrderNotionalUsd": "5000",
    "OstiumConfirmations": "1",
}
_BLOCK_SECONDS = 1
_OF_THE_CHAIN = {
    "OstiumChainId": "chain_id",
    "OstiumRegistryAddress": "registry",
    "OstiumTradingAddress": "trading",
    "OstiumStorageAddress": "trading_storage",
    "OstiumUsdcAddress": "usdc",
}


@contextmanager
def running(
    home: Home, step: Step, *, simulated: bool = True, live: bool = False
) -> Iterator[Stack]:
    """Start everything, set up the database, sync the markets; stop everything at the end.

    Args:
        home: where the state lives. What is in the database stays from run to run, unless live:
            the keys, and what the simulated venues have on their books, end with each run.
        step: tells what is being done.
        simulated: False asks the real venues' public endpoints, still trading on paper.
        live: trades with signed orders at the simulated venues, one of them on a local chain.

    Raises:
        StepFailed: with the log that tells why.
    """
    if live and not simulated:
        raise StepFailed("live trading is for simulated venues here: deploy to AWS for real ones")
    with ExitStack() as cleanup:
        alone(home, cleanup)
        if live:
            forget(home)
        with step("starting PostgreSQL"):
            database = _start_postgres(home, cleanup)
        venues = _start_venues(home, cleanup, step, live=live) if simulated else None
        issuer = Issuer.of(home)
        jwks_url = cleanup.enter_context(serving(issuer))
        with step("starting the local AWS"):
            child, endpoint = start_ministack(home)
            cleanup.callback(child.stop)
        with step("building the layer"):
            build(home)
        aws = LocalAws(endpoint)
        with step("deploying the template"):
            aws.s3.create_bucket(Bucket=BUCKET)
            deploy(home, endpoint, _parameters(database.dsn(), venues, jwks_url))
            stack = Stack(aws, database.dsn(), venues, issuer)
            apply_gateway_responses(aws.gateway, stack.outputs["RestApiId"])
        with step("setting up the database"):
            _set_up(home, stack)
        with step("syncing the markets"):
            _sync_markets(home, stack)
            _invoke(home, stack, "reconcile")
        cleanup.callback(home.api_url.unlink, missing_ok=True)
        home.api_url.write_text(f"{stack.api_url}\n")
        yield stack


def alone(home: Home, cleanup: ExitStack) -> None:
    """Hold the home's lock until the end, and end what a crashed run left behind.

    Raises:
        StepFailed: another run has it.
    """
    home.path.mkdir(parents=True, exist_ok=True)
    lock = cleanup.enter_context((home.path / "lock").open("w"))
    try:
        flock(lock, LOCK_EX | LOCK_NB)
    except BlockingIOError:
        raise StepFailed(f"another run uses {home.path}: end it first") from None
    end_leftovers(home.running)
    home.api_url.unlink(missing_ok=True)


def forget(home: Home) -> None:
    """Remove the database of a home that no run uses."""
    if home.postgres.exists():
        postgres.stop(home.postgres)
        shutil.rmtree(home.postgres)


def _start_postgres(home: Home, cleanup: ExitStack) -> postgres.Postgres:
    try:
        server = postgres.start(home.postgres)
    except postgres.PostgresFailed as fault:
        raise StepFailed(str(fault)) from fault
    cleanup.callback(server.stop)
    return server


def _start_venues(home: Home, cleanup: ExitStack, step: Step, *, live: bool) -> Venues:
    """Live: one of them trades on a chain that makes a block each second, as its node is asked."""
    network: Network = "testnet" if live else "mainnet"
    doing = "starting the simulated venues"
    with step(f"{doing} and a local chain" if live else doing):
        child, venues = start_venues(home, network=network, chain=live)
        cleanup.callback(child.stop)
        if venues.ostium_rpc is not None:
            tell(venues.ostium_rpc, "mining", seconds=_BLOCK_SECONDS)
    return venues


def _parameters(dsn: str, venues: Venues | None, jwks_url: str) -> dict[str, str]:
    always = {
        "DatabaseUrl": dsn,
        "JwtIssuer": ISSUER,
        "JwtAudience": AUDIENCE,
        "JwtJwksUrl": jwks_url,
    }
    if venues is None:
        return always
    return {
        **always,
        "HyperliquidApiUrl": venues.hyperliquid,
        "OstiumSubgraphUrl": venues.ostium_subgraph,
        "OstiumPriceUrl": venues.ostium_prices,
        **_live(venues),
    }


def _live(venues: Venues) -> dict[str, str]:
    """Where there is a chain, trading is live."""
    if venues.ostium_rpc is None:
        return {}
    told = ask(venues.ostium_rpc, "venue")
    places = {name: str(told[part]) for name, part in _OF_THE_CHAIN.items()}
    return {**_LIVE, **places, "OstiumRpcUrl": venues.ostium_rpc}


def _set_up(home: Home, stack: Stack) -> None:
    report = _invoke(home, stack, "setup")
    if not report["success"]:
        todo = [sentence for check in report["checks"] for sentence in check["todo"]]
        if any(check["what"].get("changed") for check in report["checks"]):
            todo.append("on a laptop the database is of another version: `make clean` removes it")
        raise StepFailed("; ".join(["setup failed", *todo]))


def _sync_markets(home: Home, stack: Stack) -> None:
    """One venue is enough to go on; what the others lack stands in every refusal of theirs."""
    venues = _invoke(home, stack, "market_sync")["venues"]
    if not any(venue["status"] == "SYNCED" for venue in venues):
        details = [f"{venue['venue']}: {venue['detail']}" for venue in venues]
        raise StepFailed("; ".join(["no market was synced", *details]))


def _invoke(home: Home, stack: Stack, function: str) -> Any:  # noqa: ANN401 - JSON
    try:
        return stack.invoke(function)
    except FunctionFailed as fault:
        raise StepFailed(str(fault), home.log("ministack")) from fault
