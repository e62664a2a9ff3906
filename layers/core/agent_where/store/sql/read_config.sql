-- The config that applies to an agent in the caller's reach: its own row, else the global one; without an
-- agent, the global one. No row: there is no such agent. A row of nulls: the built-in default applies.
SELECT c.id, c.agent_id, c.venue_priority, c.routing_strategy, c.failover_enabled, c.created_at, c.updated_at,
       a.venue AS agent_venue
FROM (SELECT CAST(:agent_id AS uuid) AS id) asked
LEFT JOIN agents a ON a.id = asked.id AND (:everything OR lower(a.creator_wallet) = :wallet)
LEFT JOIN LATERAL (
    SELECT * FROM venue_routing_config r
    WHERE r.agent_id = asked.id OR r.agent_id IS NULL
    ORDER BY r.agent_id NULLS LAST LIMIT 1
) c ON true
WHERE asked.id IS NULL OR a.id IS NOT NULL;
