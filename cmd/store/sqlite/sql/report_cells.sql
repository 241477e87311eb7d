-- Question:   What do the sites of these snapshots hold?
-- Parameters: :snapshots, a JSON array of ids.
-- Columns:    snapshot_id, site_id, the four figures.
SELECT l.snapshot_id, l.site_id, l.bytes, l.blocks, l.allocated_bytes, l.allocated_blocks
FROM json_each(:snapshots) AS s JOIN live AS l ON l.snapshot_id = s.value
ORDER BY s.key, l.site_id;
