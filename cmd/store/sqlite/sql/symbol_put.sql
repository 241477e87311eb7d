-- Question:   (remembers a frame of what is at an address)
-- Parameters: as the columns named below.
-- Columns:    none.
INSERT OR REPLACE INTO symbol(build_id, address, position, function, file, line, inlined)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7);
