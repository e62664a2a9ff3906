-- Who may trade, what this database serves, and the figures that the read side shows.
CREATE TABLE trading_controls (
    scope  text NOT NULL CHECK (scope IN ('global', 'venue', 'agent', 'deployment')),
    id     text CHECK ((scope = 'global') = (id IS NULL)),
    state  text NOT NULL CHECK (state IN ('ACTIVE', 'CLOSE_ONLY', 'HALTED')),
    reason text NOT NULL,
    set_by text NOT NULL,
    set_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE NULLS NOT DISTINCT (scope, id)
);
CREATE TABLE trading_controls_audit (
    LIKE trading_controls,
    recorded_at timestamptz NOT NULL DEFAULT now()
);
CREATE FUNCTION audit_control() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO trading_controls_audit (scope, id, state, reason, set_by, set_at)
    VALUES (NEW.scope, NEW.id, NEW.state, NEW.reason, NEW.set_by, NEW.set_at);
    RETURN NULL;
END
$$;
CREATE TRIGGER trading_controls_audited AFTER INSERT OR UPDATE ON trading_controls
    FOR EACH ROW EXECUTE FUNCTION audit_control();
CREATE TRIGGER trading_controls_kept BEFORE DELETE ON trading_controls
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER trading_controls_audit_append_only BEFORE UPDATE OR DELETE ON trading_controls_audit
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- One database serves one network.
CREATE TABLE installation (
    only_row   boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    network    text NOT NULL CHECK (network IN ('mainnet', 'testnet')),
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE system_figures (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    at       timestamptz NOT NULL,
    figures  jsonb NOT NULL
);

-- The strictest control that applies to one order. Null scopes are passed over.
CREATE FUNCTION control_for(of_venue text, of_agent uuid, of_deployment uuid) RETURNS text STABLE LANGUAGE sql AS $$
    SELECT coalesce((
        SELECT c.state FROM trading_controls c
        WHERE c.scope = 'global' OR (c.scope = 'venue' AND c.id = of_venue)
           OR (c.scope = 'agent' AND c.id = of_agent::text) OR (c.scope = 'deployment' AND c.id = of_deployment::text)
        ORDER BY array_position(ARRAY['HALTED', 'CLOSE_ONLY', 'ACTIVE'], c.state) LIMIT 1
    ), 'ACTIVE')
$$;
