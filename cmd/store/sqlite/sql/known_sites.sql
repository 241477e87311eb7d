-- Question:   Which sites are there?
-- Parameters: none.
-- Columns:    hash, id.
SELECT hash, id FROM site;
