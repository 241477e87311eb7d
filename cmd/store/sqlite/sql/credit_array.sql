-- Question:   (shows the relation between call stacks and the rows of a report as a table)
-- Parameters: none.
-- Columns:    none.
CREATE VIRTUAL TABLE IF NOT EXISTS temp.credit USING snapdiff_credit;
