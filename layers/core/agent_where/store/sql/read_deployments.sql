-- A page of deployments, newest first: an agent's, or the one with an id. Its user sees all of it (`own`),
-- the agent's creator everything but whose it is, others nothing. `awaits_approval`: the venue lets the signer not trade.
SELECT d.id, d.agent_id, CASE WHEN d.own THEN d.user_wallet END AS user_wallet, d.status, d.sub_active, d.venues,
       d.max_notional_usd, d.max_leverage, d.created_at, d.own, now() AS now,
       (SELECT 'aw-' || left(replace(i.id::text, '-', ''), 10) FROM installation i) AS agent_name,
       (SELECT coalesce(jsonb_agg(jsonb_build_object(
                   'venue', v.venue, 'account', v.account, 'signer_address', v.signer_address, 'approved_until', v.approved_until,
                   'awaits_approval', v.signer_address IS NOT NULL AND v.approved_until IS NULL,
                   'was_approved', v.approval_lost_at IS NOT NULL)
               ORDER BY v.venue), '[]')
        FROM venue_accounts v
        WHERE d.own AND v.account = lower(d.user_wallet) AND (d.venues IS NULL OR v.venue::text = ANY (d.venues))) AS accounts
FROM (SELECT x.*, coalesce(:everything OR lower(x.user_wallet) = :wallet, false) AS own FROM agent_deployments x) d
JOIN agents a ON a.id = d.agent_id
WHERE (CAST(:id AS uuid) IS NULL OR d.id = CAST(:id AS uuid))
  AND (CAST(:agent_id AS uuid) IS NULL OR d.agent_id = CAST(:agent_id AS uuid))
  AND (d.own OR lower(a.creator_wallet) = :wallet)
  AND (CAST(:after_id AS uuid) IS NULL OR (d.created_at, d.id) < (CAST(:after_at AS timestamptz), CAST(:after_id AS uuid)))
ORDER BY d.created_at DESC, d.id DESC
LIMIT :at_most;
