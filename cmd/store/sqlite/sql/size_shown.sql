-- Question:   How many blocks are in the rows that are shown, and how much do they retain?
-- Parameters: none.
-- Columns:    the row's place and what it has, of a root only what it retains; its key and kind.
SELECT s.place, z.bytes, z.blocks, z.lost_blocks AS unreachable_blocks,
       CASE WHEN (SELECT max(sized) FROM temp.size) THEN z.retained_bytes END AS retained_bytes, z.sized, s.key, n.kind
FROM temp.shown AS s JOIN temp.size AS z ON z.row = s.row JOIN temp.node AS n ON n.row = s.row
ORDER BY s.place;
