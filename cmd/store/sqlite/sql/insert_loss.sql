-- Question:   (adds or replaces a loss)
-- Parameters: ?1 snapshot, ?2 kind, ?3 count.
-- Columns:    none.
INSERT OR REPLACE INTO loss(snapshot_id, kind, count) VALUES (?1, ?2, ?3);
