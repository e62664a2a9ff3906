-- What is told of a deployment in the caller's reach; the rest stays. It has an account at each of its venues.
WITH changed AS (
    UPDATE agent_deployments d
    SET (status, venues, max_notional_usd, max_leverage) = (
        SELECT n.status, n.venues, n.max_notional_usd, n.max_leverage
        FROM jsonb_populate_record(d, CAST(:changes AS jsonb)) AS n)
    WHERE d.id = CAST(:id AS uuid) AND (:everything OR lower(d.user_wallet) = :wallet)
    RETURNING id, user_wallet, venues
)
INSERT INTO venue_accounts (account, venue)
SELECT lower(c.user_wallet), CAST(v AS venue_t) FROM changed c, unnest(c.venues) AS v
ON CONFLICT DO NOTHING;
