-- Question:   How many snapshots are there?
-- Parameters: none.
-- Columns:    count.
SELECT count(*) FROM snapshot;
