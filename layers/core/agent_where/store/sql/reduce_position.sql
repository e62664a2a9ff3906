-- The position of a filled exit, computed anew from all that closed it. A CLOSE under the entry's own signal stands in
-- for a bound. A venue that nets may have closed more than was
-- the position's: what executed is never refused, and a position that has ended stays as it is.
UPDATE positions p
SET open_qty = b.open_qty,
    fees_usd = b.fees_usd,
    pnl = b.pnl,
    exit_price = b.exit_price,
    status = CASE WHEN b.open_qty = 0 THEN 'CLOSED' ELSE 'OPEN' END,
    closed_at = CASE WHEN b.open_qty = 0 THEN now() END,
    exit_reason = CASE WHEN b.open_qty = 0 THEN o.purpose END,
    closed_by = CASE WHEN b.open_qty = 0 THEN CASE WHEN o.purpose = 'CLOSE' AND o.signal_id IS DISTINCT FROM p.signal_id THEN 'SIGNAL' ELSE 'TRIGGER' END END
FROM venue_orders o CROSS JOIN LATERAL books_of(o.position_id) b
WHERE o.id = CAST(:id AS uuid) AND o.status = 'FILLED' AND o.purpose <> 'ENTRY'
  AND p.id = o.position_id AND p.status::text = 'OPEN'
RETURNING p.id;
