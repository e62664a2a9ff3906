-- The config of an agent in the caller's reach, or the global one, whole. No row: there is no such agent,
-- it is not MULTI, or the global row is out of reach.
INSERT INTO venue_routing_config AS c (id, agent_id, venue_priority, routing_strategy, failover_enabled, created_at, updated_at)
SELECT gen_random_uuid(), CAST(:agent_id AS uuid), CAST(:venue_priority AS text[]), :routing_strategy, CAST(:failover_enabled AS boolean), now(), now()
WHERE (CAST(:agent_id AS uuid) IS NULL AND :everything)
   OR EXISTS (SELECT FROM agents a
              WHERE a.id = CAST(:agent_id AS uuid) AND a.venue = 'MULTI' AND (:everything OR lower(a.creator_wallet) = :wallet))
ON CONFLICT (agent_id) DO UPDATE
SET venue_priority = excluded.venue_priority, routing_strategy = excluded.routing_strategy,
    failover_enabled = excluded.failover_enabled,
    updated_at = greatest(clock_timestamp(), c.updated_at + interval '1 microsecond')
RETURNING c.id;
