-- The first key that is made for an account is its key; one of the environment may be named anew. No row: it has another.
UPDATE venue_accounts SET key_ref = :key_ref
WHERE account = :account AND venue = CAST(:venue AS venue_t)
  AND signer_address IS NULL AND (key_ref IS NULL OR key_ref LIKE 'env:%')
RETURNING account;
