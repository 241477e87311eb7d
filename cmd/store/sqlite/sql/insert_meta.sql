-- Question:   (adds or replaces any other fact)
-- Parameters: ?1 snapshot, ?2 key, ?3 value.
-- Columns:    none.
INSERT OR REPLACE INTO meta(snapshot_id, key, value) VALUES (?1, ?2, ?3);
