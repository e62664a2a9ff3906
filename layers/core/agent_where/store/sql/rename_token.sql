-- A row that others wrote may call its token by another name than the canonical one.
UPDATE signals SET token_symbol = :token_symbol WHERE id = CAST(:id AS uuid) AND decided_at IS NULL RETURNING id;
