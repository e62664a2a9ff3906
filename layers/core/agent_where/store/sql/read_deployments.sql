-- A page of deployments, newest first: an agent's, or the one with an id.
SELECT d.id, d.agent_id, d.user_wallet, d.status, d.sub_active, d.venues, d.max_notional_usd, d.max_leverage, d.created_at,
       (SELECT coalesce(jsonb_agg(jsonb_build_object('venue', v.venue, 'account', v.account, 'signer_address', v.signer_address,
                                                     'approved_until', v.approved_until) ORDER BY v.venue), '[]')
        FROM venue_accounts v
        WHERE v.account = lower(d.user_wallet) AND (d.venues IS NULL OR v.venue::text = ANY (d.venues))) AS accounts
FROM agent_deployments d
WHERE (CAST(:id AS uuid) IS NULL OR d.id = CAST(:id AS uuid))
  AND (CAST(:agent_id AS uuid) IS NULL OR d.agent_id = CAST(:agent_id AS uuid))
  AND (CAST(:after_id AS uuid) IS NULL OR (d.created_at, d.id) < (CAST(:after_at AS timestamptz), CAST(:after_id AS uuid)))
ORDER BY d.created_at DESC, d.id DESC
LIMIT :at_most;
