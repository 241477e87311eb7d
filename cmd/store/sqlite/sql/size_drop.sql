-- Question:   (forgets what the rows of an earlier report had)
-- Parameters: none.
-- Columns:    none.
DROP TABLE IF EXISTS temp.size;
