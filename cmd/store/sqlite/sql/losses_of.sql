-- Question:   What did a snapshot lose?
-- Parameters: ?1 snapshot.
-- Columns:    kind, count.
SELECT kind, count FROM loss WHERE snapshot_id = ?1 ORDER BY kind;
