-- The address that the account's key signs as. No row: it has one, or has another key.
UPDATE venue_accounts SET signer_address = :signer_address
WHERE account = :account AND venue = CAST(:venue AS venue_t) AND key_ref = :key_ref AND signer_address IS NULL
RETURNING account;
