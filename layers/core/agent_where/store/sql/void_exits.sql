-- A position at zero needs no more exits.
UPDATE venue_orders x
SET status = 'REJECTED', refusal = 'NOTHING_TO_CLOSE', settled_at = now(), detail = 'the position was closed by order ' || o.id
FROM venue_orders o
JOIN positions p ON p.id = o.position_id AND p.status = 'CLOSED'
WHERE o.id = CAST(:id AS uuid) AND x.position_id = o.position_id AND x.id <> o.id AND x.status = 'PLANNED' AND x.purpose <> 'ENTRY'
RETURNING x.id;
