-- An account that a deployment trades with and that has no signer yet, of one user or of all: whoever gets it here makes
-- its key, alone. To others it is due again a minute later, then two, four, up to a day, since each attempt may cost a
-- key. With a key_ref the key is made, and its address is what is missing.
UPDATE venue_accounts v
SET key_asked_at = clock_timestamp(), key_attempts = v.key_attempts + 1
FROM (
    SELECT w.account, w.venue FROM venue_accounts w
    WHERE w.signer_address IS NULL AND w.venue::text = ANY (CAST(:venues AS text[]))
      AND (CAST(:account AS text) IS NULL OR w.account = CAST(:account AS text))
      AND (w.key_asked_at IS NULL OR w.key_asked_at < clock_timestamp()
           - least(interval '1 minute' * power(2, least(w.key_attempts, 20) - 1), interval '1 day'))
      AND EXISTS (
          SELECT FROM agent_deployments d
          WHERE lower(d.user_wallet) = w.account AND d.sub_active AND (d.venues IS NULL OR w.venue::text = ANY (d.venues)))
    ORDER BY w.key_asked_at NULLS FIRST, w.created_at
    LIMIT 1
    FOR UPDATE SKIP LOCKED
) due
WHERE v.account = due.account AND v.venue = due.venue
RETURNING v.account, v.venue, CASE WHEN v.key_ref LIKE 'kms:%' THEN v.key_ref END AS key_ref;
