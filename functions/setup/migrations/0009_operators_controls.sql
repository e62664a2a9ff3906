-- Controls are set over HTTP, by operators and by the users whose agent or deployment it is. What an operator
-- stops only an operator lets go on. Until now only whoever had the database's own login could set a control:
-- what is there, and what is set without saying who, counts as an operator's.
ALTER TABLE trading_controls ADD COLUMN by_operator boolean NOT NULL DEFAULT true;
ALTER TABLE trading_controls_audit ADD COLUMN by_operator boolean NOT NULL DEFAULT true;

-- One spelling per id: another one would stand there and apply to nothing.
ALTER TABLE trading_controls ADD CONSTRAINT trading_controls_one_spelling CHECK (
    CASE WHEN scope IN ('agent', 'deployment') THEN id ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
         ELSE id = upper(id) END) NOT VALID;

CREATE OR REPLACE FUNCTION audit_control() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO trading_controls_audit (scope, id, state, reason, set_by, set_at, by_operator)
    VALUES (NEW.scope, NEW.id, NEW.state, NEW.reason, NEW.set_by, NEW.set_at, NEW.by_operator);
    RETURN NULL;
END
$$;
CREATE INDEX trading_controls_audit_by_time ON trading_controls_audit (recorded_at DESC);

-- What belongs to whom, asked with every request.
CREATE INDEX IF NOT EXISTS agents_by_creator ON agents (lower(creator_wallet), created_at DESC, id DESC);
CREATE INDEX IF NOT EXISTS agent_deployments_by_user ON agent_deployments (lower(user_wallet), created_at DESC, id DESC);
