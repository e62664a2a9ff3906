-- What a review of 0008, 0011 and 0017 found: rights that went too far, and rows of the original that could no longer be written.

-- The audit is written with its owner's rights and by nobody else's; and who owns a table of his own, if only a temporary
-- one, cannot put what runs with the owner's rights on it.
ALTER FUNCTION audit_control() SECURITY DEFINER;
DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION audit_control() SET search_path = %I, pg_temp', current_schema());
END
$$;
REVOKE EXECUTE ON FUNCTION audit_control() FROM PUBLIC;

-- The original's positions may have no signal, where its tables let them: a check that is not of their concern refused each
-- change of such a row.
ALTER TABLE positions DROP CONSTRAINT positions_unexpected_has_no_signal;
ALTER TABLE positions ADD CONSTRAINT positions_unexpected_has_no_signal
    CHECK (mode IS NULL OR unexpected = (signal_id IS NULL)) NOT VALID;

-- And its history may tell what was selected without what was checked. Rows of this system always tell their strategy.
ALTER TABLE venue_routing_history DROP CONSTRAINT venue_routing_history_selected_was_checked;
ALTER TABLE venue_routing_history ADD CONSTRAINT venue_routing_history_selected_was_checked
    CHECK (strategy IS NULL OR selected_venue IS NULL
           OR (selected_venue <> 'MULTI' AND selected_venue::text = ANY (checked_venues))) NOT VALID;
