-- The own config of an agent in the caller's reach, so that the inherited one applies again.
DELETE FROM venue_routing_config c
USING agents a
WHERE c.agent_id = CAST(:agent_id AS uuid) AND a.id = c.agent_id AND (:everything OR lower(a.creator_wallet) = :wallet);
