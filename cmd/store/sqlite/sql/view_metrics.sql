-- Question:   What did the process and the system say at each snapshot?
-- Parameters: none.
-- Columns:    see docs.c.
CREATE VIEW metrics AS
SELECT snapshot_id, name, value FROM metric;
