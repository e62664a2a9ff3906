-- The venue has it and will end it later.
UPDATE venue_orders
SET status = 'ACCEPTED', venue_ref = coalesce(:venue_ref, venue_ref)
WHERE id = CAST(:id AS uuid) AND status IN ('SENT', 'ACCEPTED') AND (status = 'SENT' OR venue_ref IS DISTINCT FROM coalesce(:venue_ref, venue_ref))
RETURNING id;
