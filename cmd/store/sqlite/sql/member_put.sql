-- Question:   (says which row a group of blocks or a root counts towards)
-- Parameters: side, is_root, id, row.
-- Columns:    none.
INSERT INTO temp.member(side, is_root, id, row) VALUES (?, ?, ?, ?);
