-- Positions that were closed at the venue need no more exits.
UPDATE venue_orders x
SET status = 'REJECTED', refusal = 'NOTHING_TO_CLOSE', settled_at = now(), detail = 'the position was closed at the venue: ' || p.exit_reason
FROM positions p
WHERE p.id = ANY (CAST(:positions AS uuid[])) AND p.status = 'CLOSED'
  AND x.position_id = p.id AND x.status = 'PLANNED' AND x.purpose <> 'ENTRY'
RETURNING x.id;
