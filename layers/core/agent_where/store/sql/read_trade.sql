-- Where a trade is: a signal with its decisions, orders, fills and positions, at most `at_most` of each. An
-- entry's signal has the orders that closed its positions too, whichever signal they came from. The agent's
-- creator sees the trades of all followers, but not whose they are, in no words either; a follower sees his own, and the signal
-- if anything was decided or ordered for him.
WITH signal AS (
    SELECT s.*, coalesce(:everything OR lower(a.creator_wallet) = :wallet, false) AS whole
    FROM signals s JOIN agents a ON a.id = s.agent_id
    WHERE s.id = CAST(:id AS uuid)
), followed AS (
    SELECT d.id, coalesce(:everything OR lower(d.user_wallet) = :wallet, false) AS own
    FROM signal s JOIN agent_deployments d ON d.agent_id = s.agent_id
    WHERE s.whole OR lower(d.user_wallet) = :wallet
), held AS (
    SELECT o.position_id AS id FROM venue_orders o JOIN followed d ON d.id = o.deployment_id WHERE o.signal_id = CAST(:id AS uuid)
    UNION
    SELECT p.id FROM followed d JOIN positions p ON p.deployment_id = d.id AND p.signal_id = CAST(:id AS uuid)
    UNION
    SELECT p.id FROM venue_orders o JOIN followed d ON d.id = o.deployment_id JOIN positions p ON p.id = o.id AND p.unexpected
    WHERE o.signal_id = CAST(:id AS uuid)
), orders AS MATERIALIZED (
    SELECT o.*, d.own
    FROM venue_orders o
    JOIN followed d ON d.id = o.deployment_id
    WHERE o.signal_id = CAST(:id AS uuid)
       OR o.position_id IN (SELECT p.id FROM positions p JOIN held h ON h.id = p.id
                             WHERE coalesce(p.signal_id, (SELECT e.signal_id FROM venue_orders e WHERE e.id = p.id)) = CAST(:id AS uuid))
    ORDER BY o.created_at, o.deployment_id, o.leg, o.attempt
    LIMIT :at_most
), decisions AS (
    SELECT h.*, h.deployment_id IS NULL OR d.own AS own
    FROM venue_routing_history h
    LEFT JOIN followed d ON d.id = h.deployment_id
    WHERE h.signal_id = CAST(:id AS uuid) AND (h.deployment_id IS NULL OR d.id IS NOT NULL)
    ORDER BY h.created_at, h.attempt, h.deployment_id NULLS FIRST
    LIMIT :at_most
)
SELECT to_jsonb(s) AS signal,
       (SELECT coalesce(jsonb_agg(to_jsonb(x) || CASE WHEN x.own THEN '{}' ELSE jsonb_build_object(
                                      'routing_reason', regexp_replace(x.routing_reason, '0x[0-9a-fA-F]{40}', '0x…', 'g'),
                                      'skipped_reason', regexp_replace(x.skipped_reason, '0x[0-9a-fA-F]{40}', '0x…', 'g')) END
                                  ORDER BY x.created_at, x.attempt, x.deployment_id NULLS FIRST), '[]')
        FROM decisions x) AS decisions,
       (SELECT coalesce(jsonb_agg(to_jsonb(x) || CASE WHEN x.own THEN '{}' ELSE jsonb_build_object(
                                      'account', NULL, 'venue_ref', NULL,
                                      'detail', regexp_replace(x.detail, '0x[0-9a-fA-F]{40}', '0x…', 'g')) END
                                  ORDER BY x.created_at, x.deployment_id, x.leg, x.attempt), '[]')
        FROM orders x) AS orders,
       (SELECT coalesce(jsonb_agg(to_jsonb(x) ORDER BY x.at, x.venue_fill_id), '[]')
        FROM (SELECT f.order_id, f.venue, CASE WHEN o.own THEN f.venue_fill_id END AS venue_fill_id, f.size, f.price, f.fee,
                     f.fee_token, f.at
              FROM venue_fills f JOIN orders o ON o.id = f.order_id
              ORDER BY f.at, f.venue_fill_id LIMIT :at_most) x) AS fills,
       (SELECT coalesce(jsonb_agg(to_jsonb(x) || CASE WHEN x.unexpected THEN
                                      (SELECT jsonb_build_object('signal_id', o.signal_id) FROM venue_orders o WHERE o.id = x.id)
                                  ELSE '{}' END
                                  ORDER BY x.opened_at, x.id), '[]')
        FROM (SELECT p.*, s.agent_id FROM positions p JOIN held h ON h.id = p.id
              ORDER BY p.opened_at, p.id LIMIT :at_most) x) AS positions
FROM signal s
WHERE s.whole OR EXISTS (SELECT FROM orders) OR EXISTS (SELECT FROM decisions d WHERE d.deployment_id IS NOT NULL)
   OR EXISTS (SELECT FROM held);
