-- Orders that waited for this one's end: due now if it opened something to close, else void.
UPDATE venue_orders w
SET due_at = CASE WHEN o.status = 'FILLED' THEN now() ELSE w.due_at END,
    enqueued_at = CASE WHEN o.status = 'FILLED' THEN now() ELSE w.enqueued_at END,
    status = CASE WHEN o.status = 'FILLED' THEN w.status ELSE 'REJECTED' END,
    refusal = CASE WHEN o.status = 'FILLED' THEN w.refusal ELSE 'NOTHING_TO_CLOSE' END,
    settled_at = CASE WHEN o.status = 'FILLED' THEN NULL ELSE now() END,
    detail = CASE WHEN o.status = 'FILLED' THEN w.detail ELSE 'entry ' || o.id || ' ended with nothing executed' END
FROM venue_orders o
WHERE o.id = CAST(:id AS uuid) AND o.status IN ('FILLED', 'REJECTED', 'EXPIRED')
  AND w.after_order_id = o.id AND w.status = 'PLANNED' AND w.due_at IS NULL
RETURNING w.id, w.account, w.venue, w.status = 'PLANNED' AS due;
