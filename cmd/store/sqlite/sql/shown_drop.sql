-- Question:   (forgets the rows that an earlier report showed)
-- Parameters: none.
-- Columns:    none.
DROP TABLE IF EXISTS temp.shown;
