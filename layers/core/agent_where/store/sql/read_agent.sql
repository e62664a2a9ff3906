-- One agent, if it is in the caller's reach or ACTIVE. `own`: it is in reach, so that all of it may be told.
SELECT id, name, venue, status, creator_wallet, profit_receiver_address, weights, created_at,
       coalesce(:everything OR lower(creator_wallet) = :wallet, false) AS own
FROM agents
WHERE id = CAST(:id AS uuid) AND (:everything OR lower(creator_wallet) = :wallet OR status = 'ACTIVE');
