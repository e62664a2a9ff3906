-- What the venue's executions closed, if the positions still stand as they were read and the lease is still ours. All
-- or none.
WITH parts AS (
    SELECT * FROM jsonb_to_recordset(CAST(:closures AS jsonb)) AS c (
        venue_fill_id text, position_id uuid, size numeric, fill_size numeric, price numeric, fee_usd numeric,
        closed_by text, reason text, at timestamptz)
), seen AS (
    SELECT * FROM jsonb_to_recordset(CAST(:seen AS jsonb)) AS s (id uuid, open_qty numeric)
), held AS (
    SELECT p.id FROM positions p JOIN seen s ON s.id = p.id AND s.open_qty = p.open_qty
    ORDER BY p.id
    FOR UPDATE OF p
), leased AS (
    SELECT FROM venue_accounts
    WHERE account = :account AND venue = CAST(:venue AS venue_t)
      AND lease_token = CAST(:token AS uuid) AND lease_until > clock_timestamp()
    FOR UPDATE
)
INSERT INTO venue_closures (venue, venue_fill_id, position_id, size, fill_size, price, fee, closed_by, reason, at)
SELECT CAST(:venue AS venue_t), c.venue_fill_id, c.position_id, c.size, c.fill_size, c.price, c.fee_usd, c.closed_by, c.reason, c.at
FROM parts c
WHERE EXISTS (SELECT FROM leased) AND (SELECT count(*) FROM held) = (SELECT count(*) FROM seen)
RETURNING position_id;
