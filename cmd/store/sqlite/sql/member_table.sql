-- Question:   (makes room for the relation between groups of blocks, roots and the rows of a report)
-- Parameters: none.
-- Columns:    none.
--
-- side: as in credit, 0 where there is one snapshot.  is_root: 1 for a root, 0 for a group of blocks; id is its id in the snapshot.
CREATE TEMP TABLE member(
    side    INTEGER NOT NULL,
    is_root INTEGER NOT NULL,
    id      INTEGER NOT NULL,
    row     INTEGER NOT NULL,
    PRIMARY KEY(side, is_root, id)
) WITHOUT ROWID;
