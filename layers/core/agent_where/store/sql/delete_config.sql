-- An agent's own config, so that the inherited one applies again.
DELETE FROM venue_routing_config WHERE agent_id = CAST(:agent_id AS uuid);
