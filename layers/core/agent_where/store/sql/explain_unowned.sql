-- Executions that had no owner and are accounted for by now: nobody needs to decide about them any more.
UPDATE unowned_fills
SET decision = 'EXPLAINED', reason = 'the ledger accounts for it', decided_by = 'reconcile', decided_at = now()
WHERE venue = CAST(:venue AS venue_t) AND venue_fill_id = ANY (CAST(:fills AS text[])) AND decision IS NULL
RETURNING venue_fill_id;
