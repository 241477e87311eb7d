-- Question:   (says where a snapshot had a module mapped)
-- Parameters: ?1 snapshot, ?2 module, ?3 base, ?4 size.
-- Columns:    none.
INSERT OR IGNORE INTO mapping(snapshot_id, module_id, base, size) VALUES (?1, ?2, ?3, ?4);
