-- Question:   (the call stacks that count towards any row, and towards a row that is shown, each once)
-- Parameters: none.
-- Columns:    none.
CREATE TEMP VIEW IF NOT EXISTS counted AS
SELECT DISTINCT c.side, 0 AS shown, c.site_id FROM temp.credit AS c
UNION ALL
SELECT DISTINCT c.side, 1 AS shown, c.site_id
FROM temp.shown AS s CROSS JOIN temp.credit AS c ON c.row = s.row;
