-- Question:   (adds an example path to a group)
-- Parameters: as the columns named below.
-- Columns:    none.
INSERT INTO path(snapshot_id, id, group_id, root_id, "offset", skipped) VALUES (?, ?, ?, ?, ?, ?);
