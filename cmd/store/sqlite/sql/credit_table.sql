-- Question:   (makes room for the relation between call stacks and the rows of a report)
-- Parameters: none.
-- Columns:    none.
--
-- side: of a comparison 0 is the old snapshot and 1 the new one; of several series each has its own.
CREATE TEMP TABLE credit(
    side    INTEGER NOT NULL,
    row     INTEGER NOT NULL,
    site_id INTEGER NOT NULL,
    PRIMARY KEY(side, row, site_id)
) WITHOUT ROWID;
