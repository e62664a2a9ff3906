-- Filled entries without their position, or with one of another size.
SELECT o.id::text AS id, o.settled_at AS since, count(*) OVER () AS total,
       concat('filled ', o.filled_size, ', its position ', coalesce('has ' || p.qty, 'is not there')) AS detail
FROM venue_orders o
LEFT JOIN positions p ON p.id = o.position_id
WHERE o.purpose = 'ENTRY' AND o.status = 'FILLED' AND p.qty IS DISTINCT FROM o.filled_size
ORDER BY o.settled_at LIMIT :at_most;
