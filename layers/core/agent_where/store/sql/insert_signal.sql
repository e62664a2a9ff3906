-- A signal's row, once. No row when its agent does not exist, or when the id is already there.
INSERT INTO signals (id, agent_id, token_symbol, venue, requested_venue, action, side, size_model, risk_model,
                     created_at, expires_at, received_at, body_hash, enqueued_at)
SELECT CAST(:id AS uuid), a.id, :token_symbol,
       coalesce(CAST(:venue AS venue_t), a.venue), coalesce(CAST(:venue AS venue_t), a.venue),
       :action, :side, CAST(:size_model AS jsonb), CAST(:risk_model AS jsonb),
       coalesce(CAST(:created_at AS timestamptz), now()), coalesce(CAST(:expires_at AS timestamptz),
                CASE WHEN :action = 'OPEN' THEN coalesce(CAST(:created_at AS timestamptz), now()) + interval '5 minutes' END),
       now(), :body_hash, now()
FROM agents a
WHERE a.id = CAST(:agent_id AS uuid)
ON CONFLICT (id) DO NOTHING
RETURNING id;
