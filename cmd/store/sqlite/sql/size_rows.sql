-- Question:   What do the rows of a report have?
-- Parameters: none.
-- Columns:    row, what it has and whether a retained size is known; its key and kind.
SELECT z.row, z.bytes, z.blocks, z.lost_blocks AS unreachable_blocks, z.retained_bytes, z.sized, n.key, n.kind
FROM temp.size AS z JOIN temp.node AS n ON n.row = z.row
ORDER BY z.row;
