-- Question:   When were the live blocks of a snapshot born?
-- Parameters: ?1 snapshot.
-- Columns:    site_id, birth_seq, blocks, bytes.
SELECT site_id, birth_seq, blocks, bytes FROM cohort WHERE snapshot_id = ?1 ORDER BY site_id, birth_seq;
