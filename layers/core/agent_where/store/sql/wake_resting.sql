-- Bounds that rest at the venue for more than is open of their position: to be taken back now.
SELECT x.id, x.account, x.venue, true AS due, true AS again
FROM venue_orders o
JOIN positions p ON p.id = o.position_id
JOIN venue_orders x ON x.position_id = o.position_id AND x.id <> o.id AND x.size > p.open_qty
WHERE o.id = CAST(:id AS uuid) AND x.status IN ('SENT', 'ACCEPTED') AND x.purpose IN ('TAKE_PROFIT', 'STOP_LOSS');
