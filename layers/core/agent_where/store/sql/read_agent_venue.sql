-- Where an agent trades.
SELECT venue FROM agents WHERE id = CAST(:id AS uuid);
