"""On a schedule: read every venue's markets and store them, each venue on its own."""

from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from agent_where import wiring
from agent_where.measuring import count, tell_calls
from agent_where.settings import MarketSyncSettings
from agent_where.store.store import Store
from agent_where.sync import SyncResult, SyncStatus, sync_all
from agent_where.venues.registry import SUPPORTED, market_source

logger = Logger()
tracer = Tracer(auto_patch=False)  # nothing of AWS is loaded before it is used
metrics = Metrics(namespace="AgentWhere")


@cache
def settings() -> MarketSyncSettings:
    return MarketSyncSettings.from_environment()


@cache
def store() -> Store:
    return wiring.store(settings())


def tell(result: SyncResult) -> None:
    """One log line and one set of figures for each venue."""
    synced = result.status is SyncStatus.SYNCED
    log = logger.info if synced else logger.error
    log("markets synced" if synced else "markets not synced", result=result.model_dump())
    name = "MarketsActive" if synced else "MarketSyncFailed"
    count(name, result.active if synced else 1, venue=result.venue)


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(_event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    results = sync_all(
        sorted(SUPPORTED),
        lambda venue: market_source(venue, settings()),
        store(),
        wiring.queues(settings()),
    )
    for result in results:
        tell(result)
    not_synced = sum(result.status is not SyncStatus.SYNCED for result in results)
    metrics.add_metric("VenuesNotSynced", MetricUnit.Count, not_synced)
    tell_calls()
    return {
        "success": not_synced == 0,
        "venues": [result.model_dump(mode="json") for result in results],
    }
