-- Leases that end later than any worker sets one: the database's clock was ahead when they were taken, or somebody's hand was
-- there. Whoever holds one does nothing under it any more.
UPDATE venue_accounts SET lease_token = NULL, lease_until = NULL
WHERE lease_until > clock_timestamp() + interval '5 minutes'
RETURNING account, venue;
