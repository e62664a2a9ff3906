-- Where an agent in the caller's reach trades.
SELECT venue FROM agents WHERE id = CAST(:id AS uuid) AND (:everything OR lower(creator_wallet) = :wallet);
