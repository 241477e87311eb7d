-- Question:   Which frames are there?
-- Parameters: none.
-- Columns:    hash, id.
SELECT hash, id FROM frame;
