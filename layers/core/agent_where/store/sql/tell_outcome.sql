-- What the venue said of an action, the first time it said it.
UPDATE venue_actions SET outcome = :outcome
WHERE order_id = CAST(:id AS uuid) AND kind = :kind AND nonce = CAST(:nonce AS bigint) AND outcome IS NULL
RETURNING id;
