-- The venue has it and will end it later.
UPDATE venue_orders SET status = 'ACCEPTED' WHERE id = CAST(:id AS uuid) AND status = 'SENT' RETURNING id;
