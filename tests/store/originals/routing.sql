-- What the feature branch of the original added: the venue MULTI, the two routing tables and what they came to hold.
-- Its UNIQUE (agent_id) lets any number of global rows in, since nulls are distinct.
ALTER TYPE venue_t ADD VALUE 'MULTI';
CREATE TABLE venue_routing_config (
    id               uuid NOT NULL,
    agent_id         uuid,
    venue_priority   text[],
    routing_strategy text NOT NULL DEFAULT 'FIRST_AVAILABLE',
    failover_enabled boolean NOT NULL DEFAULT true,
    created_at       timestamptz(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at       timestamptz(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT venue_routing_config_pkey PRIMARY KEY (id),
    CONSTRAINT venue_routing_config_agent_id_fkey FOREIGN KEY (agent_id) REFERENCES agents (id) ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE UNIQUE INDEX venue_routing_config_agent_id_key ON venue_routing_config (agent_id);
CREATE TABLE venue_routing_history (
    id                  uuid NOT NULL,
    signal_id           uuid NOT NULL,
    token_symbol        text NOT NULL,
    requested_venue     venue_t NOT NULL,
    selected_venue      venue_t NOT NULL,
    routing_reason      text NOT NULL,
    checked_venues      text[],
    venue_availability  jsonb NOT NULL,
    routing_duration_ms integer NOT NULL,
    created_at          timestamptz(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT venue_routing_history_pkey PRIMARY KEY (id),
    CONSTRAINT venue_routing_history_signal_id_fkey FOREIGN KEY (signal_id) REFERENCES signals (id) ON DELETE RESTRICT ON UPDATE CASCADE
);
CREATE INDEX venue_routing_history_created_at_idx ON venue_routing_history (created_at DESC);
