-- Question:   When were the live blocks of these snapshots born?
-- Parameters: :snapshots, a JSON array of ids.
-- Columns:    snapshot_id, site_id, birth_seq, blocks, bytes.
SELECT c.snapshot_id, c.site_id, c.birth_seq, c.blocks, c.bytes
FROM json_each(:snapshots) AS s JOIN cohort AS c ON c.snapshot_id = s.value
ORDER BY s.key, c.site_id, c.birth_seq;
