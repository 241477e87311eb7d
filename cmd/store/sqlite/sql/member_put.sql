-- Question:   (says which row a group of blocks or a root counts towards)
-- Parameters: is_root, id, row.
-- Columns:    none.
INSERT INTO temp.member(is_root, id, row) VALUES (?, ?, ?);
