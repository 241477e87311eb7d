-- Question:   May the figures of a snapshot be off, by sampling or as medians of several runs?
-- Parameters: ?1 snapshot.
-- Columns:    1 or 0.
SELECT EXISTS(SELECT 1 FROM variance WHERE snapshot_id = ?1);
