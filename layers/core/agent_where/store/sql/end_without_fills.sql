-- REJECTED or EXPIRED: nothing executed. A refusal of something that was never sent (`of_status` PLANNED) cannot
-- end what another worker has sent since.
UPDATE venue_orders
SET status = :status, refusal = CASE WHEN :status = 'REJECTED' THEN :refusal END, detail = :detail, settled_at = now()
WHERE id = CAST(:id AS uuid) AND CASE WHEN :of_status = 'PLANNED' THEN status = 'PLANNED' ELSE status IN ('SENT', 'ACCEPTED') END
RETURNING id;
