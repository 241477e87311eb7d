-- Question:   (adds a module)
-- Parameters: ?1 hash, ?2 path, ?3 build_id.
-- Columns:    none.
INSERT INTO module(hash, path, build_id) VALUES (?1, ?2, ?3);
