-- Question:   (forgets all symbols)
-- Parameters: none.
-- Columns:    none.
DELETE FROM symbol;
