-- Bounds that rest at the venue for positions that were closed there: to be taken back now.
SELECT x.id, x.account, x.venue, true AS due, true AS again
FROM positions p
JOIN venue_orders x ON x.position_id = p.id
WHERE p.id = ANY (CAST(:positions AS uuid[])) AND p.status = 'CLOSED'
  AND x.status IN ('SENT', 'ACCEPTED') AND x.purpose IN ('TAKE_PROFIT', 'STOP_LOSS');
