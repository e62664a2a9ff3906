-- Positions that do not show what their fills and closures come to. What orders without fills have cost may be shown with
-- the next execution only.
SELECT p.id::text AS id, p.opened_at AS since, count(*) OVER () AS total,
       concat(p.status, ' open ', p.open_qty, ' pnl ', p.pnl, ', by its fills open ', coalesce(b.open_qty, p.qty), ' pnl ', b.pnl) AS detail
FROM positions p
LEFT JOIN LATERAL books_of(p.id) b ON true
WHERE p.mode IS NOT NULL
  AND (p.open_qty <> coalesce(b.open_qty, p.qty)
       OR (p.status::text = 'OPEN' AND (p.pnl NOT BETWEEN b.pnl AND b.pnl + costs_of(p.id)
                                        OR p.fees_usd NOT BETWEEN b.fees_usd - costs_of(p.id) AND b.fees_usd
                                        OR (b.pnl IS NOT NULL AND p.pnl IS NULL)))
       OR (p.status::text = 'OPEN') = (p.open_qty = 0 OR p.closed_at IS NOT NULL) AND p.closed_by IS DISTINCT FROM 'DUST')
ORDER BY p.opened_at LIMIT :at_most;
