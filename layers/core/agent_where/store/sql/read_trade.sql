-- Where a trade is: a signal with its decisions, orders, fills and positions. An entry's signal has the
-- orders that closed its positions too, whichever signal they came from. At most `at_most` of each.
WITH signal AS (
    SELECT * FROM signals WHERE id = CAST(:id AS uuid)
), held AS (
    SELECT o.position_id AS id FROM venue_orders o WHERE o.signal_id = CAST(:id AS uuid)
    UNION
    SELECT p.id
    FROM signal s
    JOIN agent_deployments d ON d.agent_id = s.agent_id
    JOIN positions p ON p.deployment_id = d.id AND p.signal_id = s.id
), orders AS MATERIALIZED (
    SELECT o.*
    FROM venue_orders o
    WHERE o.signal_id = CAST(:id AS uuid)
       OR o.position_id IN (SELECT p.id FROM positions p JOIN held h ON h.id = p.id WHERE p.signal_id = CAST(:id AS uuid))
    ORDER BY o.created_at, o.deployment_id, o.leg, o.attempt
    LIMIT :at_most
)
SELECT to_jsonb(s) AS signal,
       (SELECT coalesce(jsonb_agg(to_jsonb(x) ORDER BY x.created_at, x.attempt, x.deployment_id NULLS FIRST), '[]')
        FROM (SELECT * FROM venue_routing_history h WHERE h.signal_id = s.id
              ORDER BY h.created_at, h.attempt, h.deployment_id NULLS FIRST LIMIT :at_most) x) AS decisions,
       (SELECT coalesce(jsonb_agg(to_jsonb(x) ORDER BY x.created_at, x.deployment_id, x.leg, x.attempt), '[]')
        FROM orders x) AS orders,
       (SELECT coalesce(jsonb_agg(to_jsonb(x) ORDER BY x.at, x.venue_fill_id), '[]')
        FROM (SELECT f.* FROM venue_fills f JOIN orders o ON o.id = f.order_id
              ORDER BY f.at, f.venue_fill_id LIMIT :at_most) x) AS fills,
       (SELECT coalesce(jsonb_agg(to_jsonb(x) ORDER BY x.opened_at, x.id), '[]')
        FROM (SELECT p.*, s.agent_id FROM positions p JOIN held h ON h.id = p.id
              ORDER BY p.opened_at, p.id LIMIT :at_most) x) AS positions
FROM signal s;
