-- All first decisions of MULTI signals in the window, counted, of agents in the caller's reach; one row. `recent`
-- are the newest of them.
WITH decided AS MATERIALIZED (
    SELECT h.token_symbol AS token, h.selected_venue AS venue,
           coalesce(h.routing_duration_us, h.routing_duration_ms * 1000::bigint) AS took_us
    FROM venue_routing_history h
    WHERE h.created_at > now() - CAST(:back AS interval)
      AND h.requested_venue = 'MULTI' AND h.attempt = 1 AND h.deployment_id IS NULL
      AND (CAST(:token_symbol AS text) IS NULL OR h.token_symbol = CAST(:token_symbol AS text))
      AND (:everything OR h.signal_id IN (SELECT s.id FROM signals s JOIN agents a ON a.id = s.agent_id
                                          WHERE lower(a.creator_wallet) = :wallet))
), times AS (
    SELECT avg(took_us) AS avg_us, percentile_disc(ARRAY[0.50, 0.99]) WITHIN GROUP (ORDER BY took_us) AS shares FROM decided
), recent AS (
    SELECT h.*
    FROM venue_routing_history h
    WHERE h.created_at > now() - CAST(:back AS interval)
      AND h.requested_venue = 'MULTI' AND h.attempt = 1 AND h.deployment_id IS NULL
      AND (CAST(:token_symbol AS text) IS NULL OR h.token_symbol = CAST(:token_symbol AS text))
      AND (:everything OR h.signal_id IN (SELECT s.id FROM signals s JOIN agents a ON a.id = s.agent_id
                                          WHERE lower(a.creator_wallet) = :wallet))
    ORDER BY h.created_at DESC, h.id DESC
    LIMIT 20
)
SELECT (SELECT coalesce(jsonb_agg(jsonb_build_object('token', g.token, 'venue', g.venue, 'decisions', g.decisions)), '[]')
        FROM (SELECT token, venue, count(*) AS decisions FROM decided GROUP BY token, venue) g) AS counts,
       t.avg_us, t.shares[1] AS p50_us, t.shares[2] AS p99_us,
       (SELECT count(*) FROM venue_routing_history h
        WHERE h.created_at > now() - CAST(:back AS interval) AND h.requested_venue = 'MULTI' AND h.attempt > 1
          AND (CAST(:token_symbol AS text) IS NULL OR h.token_symbol = CAST(:token_symbol AS text))
          AND (:everything OR h.signal_id IN (SELECT s.id FROM signals s JOIN agents a ON a.id = s.agent_id
                                              WHERE lower(a.creator_wallet) = :wallet))) AS failovers,
       (SELECT c.venue_priority FROM venue_routing_config c WHERE c.agent_id IS NULL LIMIT 1) AS venue_priority,
       (SELECT coalesce(jsonb_agg(to_jsonb(r) - 'candidates' ORDER BY r.created_at DESC, r.id DESC), '[]') FROM recent r) AS recent
FROM times t;
