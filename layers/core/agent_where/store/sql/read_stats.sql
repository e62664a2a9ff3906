-- The first decisions of MULTI signals in the window, of agents in the caller's reach, counted; one row. Read from sums
-- where they are; what has none yet, and what came in late, is read decision by decision.
WITH parts AS MATERIALIZED (
    SELECT * FROM summed_parts(now() - CAST(:back AS interval) + interval '1 microsecond')
), reached AS MATERIALIZED (
    SELECT a.id FROM agents a WHERE NOT :everything AND lower(a.creator_wallet) = :wallet
), single AS MATERIALIZED (
    SELECT h.token_symbol AS token, h.selected_venue AS venue, h.attempt = 1 AND h.deployment_id IS NULL AS is_first,
           coalesce(h.routing_duration_us, h.routing_duration_ms * 1000::bigint) AS took_us
    FROM (SELECT e.* FROM parts p JOIN venue_routing_history e ON e.created_at >= p.since AND e.created_at < p.until
          WHERE p.grain IS NULL
          UNION ALL
          SELECT e.* FROM parts p JOIN routing_late l ON l.grain = p.grain AND l.created_at >= p.since AND l.created_at < p.until
          JOIN venue_routing_history e ON e.id = l.history_id) h
    WHERE h.requested_venue = 'MULTI' AND h.token_symbol IS NOT NULL AND (h.attempt > 1 OR h.deployment_id IS NULL)
      AND (CAST(:token_symbol AS text) IS NULL OR h.token_symbol = CAST(:token_symbol AS text))
      AND (:everything OR coalesce(h.agent_id, (SELECT s.agent_id FROM signals s WHERE s.id = h.signal_id)) IN (SELECT id FROM reached))
), summed AS (
    SELECT s.* FROM parts p
    JOIN routing_sums s ON s.wallet = CASE WHEN :everything THEN '' ELSE :wallet END
         AND s.grain = p.grain AND s.since >= p.since AND s.since < p.until
), counts AS MATERIALIZED (
    SELECT token, venue, sum(decisions) AS decisions, sum(failovers) AS failovers
    FROM (SELECT c.* FROM summed s
          CROSS JOIN LATERAL unnest(s.tokens, s.venues, s.decisions, s.failovers) AS c (token, venue, decisions, failovers)
          WHERE CAST(:token_symbol AS text) IS NULL OR c.token = CAST(:token_symbol AS text)
          UNION ALL
          SELECT token, venue, CAST(is_first AS int), CAST(NOT is_first AS int) FROM single) c
    GROUP BY token, venue
), times AS MATERIALIZED (
    SELECT ms, sum(decisions) AS decisions, sum(took_us) AS took_us
    FROM (SELECT t.* FROM summed s CROSS JOIN LATERAL unnest(s.ms, s.times, s.took_us) AS t (ms, decisions, took_us)
          WHERE CAST(:token_symbol AS text) IS NULL
          UNION ALL
          SELECT CAST(split_part(t.one, ':', 1) AS bigint), CAST(split_part(t.one, ':', 2) AS bigint), CAST(split_part(t.one, ':', 3) AS numeric)
          FROM summed s CROSS JOIN LATERAL string_to_table(s.of_token ->> CAST(:token_symbol AS text), ',') AS t (one)
          UNION ALL
          SELECT took_us / 1000, 1, took_us FROM single WHERE is_first AND took_us IS NOT NULL) t
    GROUP BY ms
), ranks AS (
    SELECT ms, sum(decisions) OVER (ORDER BY ms) AS upto, sum(decisions) OVER () AS decisions FROM times
)
SELECT (SELECT coalesce(jsonb_agg(jsonb_build_object('token', c.token, 'venue', c.venue, 'decisions', c.decisions)), '[]')
        FROM counts c WHERE c.decisions > 0) AS counts,
       (SELECT coalesce(sum(c.failovers), 0) FROM counts c) AS failovers,
       (SELECT sum(t.took_us) / sum(t.decisions) FROM times t) AS avg_us,
       (SELECT min(r.ms) FROM ranks r WHERE r.upto >= ceil(float8 '0.50' * r.decisions)) AS p50_ms,
       (SELECT min(r.ms) FROM ranks r WHERE r.upto >= ceil(float8 '0.99' * r.decisions)) AS p99_ms,
       (SELECT c.venue_priority FROM venue_routing_config c WHERE c.agent_id IS NULL LIMIT 1) AS venue_priority;
