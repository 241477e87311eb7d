-- Question:   How many of the base tables are there?  (15 in a database that nobody tampered with)
-- Parameters: none.
-- Columns:    count.
SELECT count(*) FROM sqlite_schema
WHERE type = 'table'
  AND name IN ('run', 'snapshot', 'label', 'metric', 'loss', 'meta', 'module', 'mapping', 'frame', 'site', 'live',
               'variance', 'cohort', 'object', 'symbol');
