-- The position of a filled exit, computed anew from all its fills. pnl is what was realised so far,
-- less all fees; exit_price is the average of all exits. A venue that nets may have closed more than was the
-- position's: what executed is never refused, and a position that has ended stays as it is.
WITH fills AS (
    SELECT f.size, f.price, f.fee, o.purpose <> 'ENTRY' AS is_exit
    FROM venue_orders this
    JOIN venue_orders o ON o.position_id = this.position_id AND o.status = 'FILLED'
    JOIN venue_fills f ON f.order_id = o.id
    WHERE this.id = CAST(:id AS uuid) AND this.status = 'FILLED' AND this.purpose <> 'ENTRY'
), sums AS (
    SELECT sum(fee) AS fee,
           sum(size) FILTER (WHERE NOT is_exit) AS entry_size, sum(size * price) FILTER (WHERE NOT is_exit) AS entry_value,
           sum(size) FILTER (WHERE is_exit) AS exit_size, sum(size * price) FILTER (WHERE is_exit) AS exit_value
    FROM fills
)
UPDATE positions p
SET open_qty = greatest(p.qty - x.exit_size, 0),
    fees_usd = x.fee,
    pnl = (x.exit_value - x.entry_value * x.exit_size / x.entry_size) * CASE p.side WHEN 'LONG' THEN 1 ELSE -1 END - x.fee,
    exit_price = x.exit_value / x.exit_size,
    status = CASE WHEN p.qty <= x.exit_size THEN 'CLOSED' ELSE 'OPEN' END,
    closed_at = CASE WHEN p.qty <= x.exit_size THEN now() END,
    exit_reason = CASE WHEN p.qty <= x.exit_size THEN o.purpose END,
    closed_by = CASE WHEN p.qty <= x.exit_size THEN CASE o.purpose WHEN 'CLOSE' THEN 'SIGNAL' ELSE 'TRIGGER' END END
FROM venue_orders o, sums x
WHERE o.id = CAST(:id AS uuid) AND p.id = o.position_id AND p.status::text = 'OPEN' AND x.exit_size > 0
RETURNING p.id;
