-- When reconcile last ran in what was restored, as far as that is known: the figures as they are may be from after it.
SELECT least(f.at, (SELECT min(r.last_run_at) FROM restores r WHERE r.matched_at IS NULL)) AS at
FROM (SELECT max(s.at) AS at FROM system_figures s) f;
