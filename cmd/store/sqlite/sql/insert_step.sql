-- Question:   (adds a block on an example path)
-- Parameters: as the columns named below.
-- Columns:    none.
INSERT INTO step(snapshot_id, path_id, position, group_id, address, size, "offset")
VALUES (?, ?, ?, ?, ?, ?, ?);
