-- Question:   Which sites do these snapshots use?
-- Parameters: :snapshots, a JSON array of ids.
-- Columns:    id, domain, depth, the three keys of identity, the naming frame's position, the frame ids.
SELECT id, domain, depth, key_exact, key_line, key_function, named, frames FROM site
WHERE id IN (SELECT l.site_id FROM json_each(:snapshots) AS s JOIN live AS l ON l.snapshot_id = s.value)
ORDER BY id;
