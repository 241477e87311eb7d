-- Question:   (adds or replaces a process metric)
-- Parameters: ?1 snapshot, ?2 name, ?3 value.
-- Columns:    none.
INSERT OR REPLACE INTO metric(snapshot_id, name, value) VALUES (?1, ?2, ?3);
