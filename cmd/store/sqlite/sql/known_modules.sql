-- Question:   Which modules are there?
-- Parameters: none.
-- Columns:    hash, id.
SELECT hash, id FROM module;
