-- Question:   (shows the call stacks that count towards any row, each once, as a table)
-- Parameters: none.
-- Columns:    none.
CREATE VIRTUAL TABLE IF NOT EXISTS temp.counted USING snapdiff_counted;
