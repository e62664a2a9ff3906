-- A page of agents, newest first.
SELECT id, name, venue, status, creator_wallet, profit_receiver_address, weights, created_at
FROM agents
WHERE CAST(:after_id AS uuid) IS NULL OR (created_at, id) < (CAST(:after_at AS timestamptz), CAST(:after_id AS uuid))
ORDER BY created_at DESC, id DESC
LIMIT :at_most;
