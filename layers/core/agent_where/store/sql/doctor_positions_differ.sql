-- Positions that do not show what their fills and closures come to. What orders without fills have cost may be shown with
-- the next execution only. Of those that are closed, which are nearly all, all exits are summed at once: funding may change
-- their figures later, and what is left of them is what books_of would say.
WITH told AS (
    SELECT p.*, coalesce(b.open_qty, p.qty) AS by_fills, b.pnl AS pnl_by_fills
    FROM positions p
    LEFT JOIN LATERAL books_of(p.id) b ON true
    WHERE p.mode IS NOT NULL AND p.status = 'OPEN'
      AND (p.open_qty <> coalesce(b.open_qty, p.qty)
           OR p.pnl NOT BETWEEN b.pnl AND b.pnl + costs_of(p.id)
           OR p.fees_usd NOT BETWEEN b.fees_usd - costs_of(p.id) AND b.fees_usd
           OR (b.pnl IS NOT NULL AND p.pnl IS NULL)
           OR ((p.open_qty = 0 OR p.closed_at IS NOT NULL) AND p.closed_by IS DISTINCT FROM 'DUST'))
    UNION ALL
    SELECT p.*, greatest(0, p.qty - coalesce(x.size, 0)), NULL
    FROM positions p
    LEFT JOIN (SELECT e.position_id, sum(e.size) AS size
               FROM (SELECT o.position_id, f.size
                     FROM venue_orders o JOIN venue_fills f ON f.order_id = o.id
                     WHERE o.purpose <> 'ENTRY' AND o.status = 'FILLED'
                     UNION ALL
                     SELECT c.position_id, c.size FROM venue_closures c) e
               GROUP BY e.position_id) x ON x.position_id = p.id
    WHERE p.mode IS NOT NULL AND p.status <> 'OPEN'
      AND (p.open_qty <> greatest(0, p.qty - coalesce(x.size, 0))
           OR (p.open_qty <> 0 AND p.closed_at IS NULL AND p.closed_by IS DISTINCT FROM 'DUST'))
)
SELECT t.id::text AS id, t.opened_at AS since, count(*) OVER () AS total,
       concat(t.status, ' open ', t.open_qty, ' pnl ', t.pnl, ', by its fills open ', t.by_fills, ' pnl ', t.pnl_by_fills) AS detail
FROM told t
ORDER BY t.opened_at LIMIT :at_most;
