-- One agent.
SELECT id, name, venue, status, creator_wallet, profit_receiver_address, weights, created_at
FROM agents
WHERE id = CAST(:id AS uuid);
