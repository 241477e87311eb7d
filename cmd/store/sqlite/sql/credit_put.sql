-- Question:   (says that a call stack counts towards a row)
-- Parameters: side, row, site_id.
-- Columns:    none.
INSERT INTO temp.credit(side, row, site_id) VALUES (?, ?, ?);
