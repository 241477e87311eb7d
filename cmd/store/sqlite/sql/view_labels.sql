-- Question:   Which labels does each snapshot carry?
-- Parameters: none.
-- Columns:    see docs.c.
CREATE VIEW labels AS
SELECT snapshot_id, key, value FROM label;
