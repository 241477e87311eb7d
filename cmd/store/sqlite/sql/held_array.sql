-- Question:   (shows what the rows of a report hold, added up in advance, as a table)
-- Parameters: none.
-- Columns:    none.
CREATE VIRTUAL TABLE IF NOT EXISTS temp.held USING snapdiff_held;
