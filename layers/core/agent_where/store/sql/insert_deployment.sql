-- A user follows an agent, with an account at each venue. No row: that user already does. Twice would
-- trade each signal twice.
WITH made AS (
    INSERT INTO agent_deployments (id, agent_id, user_wallet, status, sub_active, venues, max_notional_usd, max_leverage, created_at)
    SELECT CAST(:id AS uuid), a.id, :user_wallet, 'ACTIVE', true, CAST(:venues AS text[]), CAST(:max_notional_usd AS numeric),
           CAST(:max_leverage AS numeric), now()
    FROM agents a
    WHERE a.id = CAST(:agent_id AS uuid) AND (:everything OR lower(a.creator_wallet) = :wallet OR a.status = 'ACTIVE') AND NOT EXISTS (
        SELECT FROM agent_deployments d
        WHERE d.agent_id = a.id AND lower(d.user_wallet) = lower(:user_wallet) AND d.sub_active)
    RETURNING id, user_wallet, venues
), accounts AS (
    INSERT INTO venue_accounts (account, venue)
    SELECT lower(m.user_wallet), CAST(v AS venue_t) FROM made m, unnest(m.venues) AS v
    ON CONFLICT DO NOTHING
)
SELECT id FROM made;
