-- Question:   (adds or replaces a label)
-- Parameters: ?1 snapshot, ?2 key, ?3 value.
-- Columns:    none.
INSERT OR REPLACE INTO label(snapshot_id, key, value) VALUES (?1, ?2, ?3);
