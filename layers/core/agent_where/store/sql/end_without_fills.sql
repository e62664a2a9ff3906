-- REJECTED or EXPIRED: nothing executed. A refusal of something that was never sent (`of_status` PLANNED) cannot
-- end what another worker has sent since. What was sent may have cost something all the same.
UPDATE venue_orders
SET status = :status, refusal = CASE WHEN :status = 'REJECTED' THEN :refusal END, detail = :detail, settled_at = now(),
    fee = nullif(CAST(:fee_usd AS numeric), 0)
WHERE id = CAST(:id AS uuid) AND CASE WHEN :of_status = 'PLANNED' THEN status = 'PLANNED' ELSE status IN ('SENT', 'ACCEPTED') END
RETURNING id;
