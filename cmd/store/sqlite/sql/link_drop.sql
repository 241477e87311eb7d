-- Question:   (forgets who held whom in an earlier report)
-- Parameters: none.
-- Columns:    none.
DROP TABLE IF EXISTS temp.link;
