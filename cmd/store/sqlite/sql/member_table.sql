-- Question:   (makes room for the relation between groups of blocks, roots and the rows of a report)
-- Parameters: none.
-- Columns:    none.
--
-- is_root: 1 for a root, 0 for a group of blocks; id is its id in the snapshot.
CREATE TEMP TABLE member(
    is_root INTEGER NOT NULL,
    id      INTEGER NOT NULL,
    row     INTEGER NOT NULL,
    PRIMARY KEY(is_root, id)
) WITHOUT ROWID;
