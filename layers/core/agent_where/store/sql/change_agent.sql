-- What is told of an agent in the caller's reach; the rest stays.
UPDATE agents a
SET (name, venue, status, weights, profit_receiver_address) = (
    SELECT n.name, n.venue, n.status, n.weights, n.profit_receiver_address
    FROM jsonb_populate_record(a, CAST(:changes AS jsonb)) AS n)
WHERE a.id = CAST(:id AS uuid) AND (:everything OR lower(a.creator_wallet) = :wallet);
