-- REJECTED or EXPIRED: nothing executed. From `of_status` only, so that a refusal of something that
-- was never sent cannot end what another worker has sent since.
UPDATE venue_orders
SET status = :status, refusal = CASE WHEN :status = 'REJECTED' THEN :refusal END, detail = :detail, settled_at = now()
WHERE id = CAST(:id AS uuid) AND status = :of_status
RETURNING id;
