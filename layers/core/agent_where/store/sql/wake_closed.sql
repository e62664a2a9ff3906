-- Bounds that rest at the venue for more than others have left open of their positions: to be taken back now.
SELECT x.id, x.account, x.venue, true AS due, true AS again
FROM positions p
JOIN venue_orders x ON x.position_id = p.id AND x.size > p.open_qty
WHERE p.id = ANY (CAST(:positions AS uuid[]))
  AND x.status IN ('SENT', 'ACCEPTED') AND x.purpose IN ('TAKE_PROFIT', 'STOP_LOSS');
