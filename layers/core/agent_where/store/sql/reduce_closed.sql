-- Positions with closures, computed anew from all that closed them. The last closure says who brought one to zero.
UPDATE positions p
SET open_qty = b.open_qty,
    fees_usd = b.fees_usd,
    pnl = b.pnl,
    exit_price = b.exit_price,
    status = CASE WHEN b.open_qty = 0 THEN 'CLOSED' ELSE 'OPEN' END,
    closed_at = CASE WHEN b.open_qty = 0 THEN now() END,
    exit_reason = CASE WHEN b.open_qty = 0 THEN c.reason END,
    closed_by = CASE WHEN b.open_qty = 0 THEN c.closed_by END
FROM (SELECT DISTINCT ON (position_id) position_id, reason, closed_by
      FROM venue_closures
      WHERE position_id = ANY (CAST(:positions AS uuid[]))
      ORDER BY position_id, booked_at DESC, at DESC, venue_fill_id DESC) c
CROSS JOIN LATERAL books_of(c.position_id) b
WHERE p.id = c.position_id AND p.status::text = 'OPEN'
RETURNING p.id, p.open_qty;
