-- Question:   (says what a row is called)
-- Parameters: row, key, kind.
-- Columns:    none.
INSERT INTO temp.node(row, key, kind) VALUES (?, ?, ?);
