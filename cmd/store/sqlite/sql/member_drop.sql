-- Question:   (forgets the relation of an earlier report)
-- Parameters: none.
-- Columns:    none.
DROP TABLE IF EXISTS temp.member;
