-- Question:   (brings a database from schema version 3 to 4: how much of each module is in memory)
-- Parameters: none.
-- Columns:    none.
--
-- No table changes: the figures are facts of a snapshot, and the view `modules`, which is made anew, shows them.
SELECT 1;
