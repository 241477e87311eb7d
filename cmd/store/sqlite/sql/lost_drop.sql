-- Question:   (forgets what counts as lost in an earlier report)
-- Parameters: none.
-- Columns:    none.
DROP TABLE IF EXISTS temp.lost;
