-- Question:   What holds the most memory in the newest snapshot?
-- Parameters: none.
-- Columns:    see docs.c; those of history, largest first.
CREATE VIEW top AS
SELECT * FROM history
WHERE snapshot_id = (SELECT snapshot_id FROM snapshot_order ORDER BY position DESC LIMIT 1)
ORDER BY live_bytes DESC, live_blocks DESC, site_id;
