-- Question:   (forgets the nodes of an earlier report)
-- Parameters: none.
-- Columns:    none.
DROP TABLE IF EXISTS temp.node;
