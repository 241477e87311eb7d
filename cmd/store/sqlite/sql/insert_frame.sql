-- Question:   (adds a frame)
-- Parameters: as the columns named below.
-- Columns:    none.
INSERT INTO frame(hash, module_id, address, function, file, line, inlined)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7);
