-- Question:   What have the rows of a report lost?
-- Parameters: none.
-- Columns:    row, and what it lost; live_bytes and live_blocks of it.
SELECT m.row, sum(l.direct_bytes) AS direct_bytes, sum(l.direct_blocks) AS direct_blocks,
       sum(l.indirect_bytes) AS indirect_bytes, sum(l.indirect_blocks) AS indirect_blocks,
       sum(l.ring_blocks) AS ring_blocks, sum(l.bytes) AS live_bytes, sum(l.blocks) AS live_blocks
FROM temp.member AS m CROSS JOIN temp.lost AS l ON l.id = m.id
WHERE m.side = 0 AND NOT m.is_root
GROUP BY m.row ORDER BY m.row;
