-- An exit refused as DUST: what is left is under the venue's size step and can never be closed.
UPDATE positions p
SET status = 'CLOSED', closed_at = now(), exit_reason = 'DUST', closed_by = 'DUST', pnl = coalesce(p.pnl, -p.fees_usd)
FROM venue_orders o
WHERE o.id = CAST(:id AS uuid) AND o.status = 'REJECTED' AND o.refusal = 'DUST' AND p.id = o.position_id AND p.status = 'OPEN'
RETURNING p.id;
