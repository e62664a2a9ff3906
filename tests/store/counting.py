"""The statistics counted decision by decision: what the sums have to say, to the last digit."""

from collections.abc import Mapping
from typing import Any

from agent_where.contract.queries import TimeWindow

BACK = {TimeWindow.HOUR: "1 hour", TimeWindow.DAY: "1 day", TimeWindow.WEEK: "7 days"}


def comparable(row: Mapping[str, Any]) -> dict[str, Any]:
    counts = {(each["token"], each["venue"]): each["decisions"] for each in row["counts"]}
    figures = {name: row[name] for name in ("failovers", "avg_us", "p50_ms", "p99_ms")}
    return {"counts": counts, **figures}


COUNTED = """
WITH decided AS (
    SELECT h.*, coalesce(h.routing_duration_us, h.routing_duration_ms * 1000::bigint) AS took_us
    FROM venue_routing_history h
    JOIN signals s ON s.id = h.signal_id JOIN agents a ON a.id = s.agent_id
    WHERE h.created_at > now() - CAST(:back AS interval) AND h.requested_venue = 'MULTI'
      AND (CAST(:token_symbol AS text) IS NULL OR h.token_symbol = :token_symbol)
      AND (:everything OR lower(a.creator_wallet) = :wallet)
), first AS (
    SELECT * FROM decided WHERE attempt = 1 AND deployment_id IS NULL
)
SELECT (SELECT coalesce(jsonb_agg(jsonb_build_object(
            'token', g.token_symbol, 'venue', g.selected_venue, 'decisions', g.decisions)), '[]')
        FROM (SELECT token_symbol, selected_venue, count(*) AS decisions
              FROM first GROUP BY 1, 2) g) AS counts,
       (SELECT count(*) FROM decided WHERE attempt > 1) AS failovers,
       (SELECT avg(took_us) FROM first) AS avg_us,
       (SELECT percentile_disc(0.50) WITHIN GROUP (ORDER BY took_us / 1000) FROM first) AS p50_ms,
       (SELECT percentile_disc(0.99) WITHIN GROUP (ORDER BY took_us / 1000) FROM first) AS p99_ms
"""
"""The same, decision by decision."""
