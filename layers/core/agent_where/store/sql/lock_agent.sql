-- Held while an agent gets a deployment, so that two at once see each other. No row: no such agent.
SELECT id FROM agents WHERE id = CAST(:id AS uuid) FOR NO KEY UPDATE;
