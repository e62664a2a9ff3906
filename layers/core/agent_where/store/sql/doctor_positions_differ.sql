-- Positions that do not show what their fills and closures come to.
SELECT p.id::text AS id, p.opened_at AS since, count(*) OVER () AS total,
       concat(p.status, ' open ', p.open_qty, ' pnl ', p.pnl, ', by its fills open ', coalesce(b.open_qty, p.qty), ' pnl ', b.pnl) AS detail
FROM positions p
LEFT JOIN LATERAL books_of(p.id) b ON true
WHERE p.mode IS NOT NULL
  AND (p.open_qty <> coalesce(b.open_qty, p.qty)
       OR (p.status::text = 'OPEN' AND (b.pnl <> p.pnl OR b.fees_usd <> p.fees_usd OR (b.pnl IS NOT NULL AND p.pnl IS NULL)))
       OR (p.status::text = 'OPEN') = (p.open_qty = 0 OR p.closed_at IS NOT NULL) AND p.closed_by IS DISTINCT FROM 'DUST')
ORDER BY p.opened_at LIMIT :at_most;
