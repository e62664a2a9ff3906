-- Of these accounts the venue has told what it ever will, for the restores that were told by then.
UPDATE venue_accounts a SET match_tried_at = CAST(:told_at AS timestamptz)
FROM jsonb_to_recordset(CAST(:accounts AS jsonb)) AS t (account text, venue text)
WHERE a.account = t.account AND a.venue::text = t.venue AND (a.match_tried_at IS NULL OR a.match_tried_at < CAST(:told_at AS timestamptz));
