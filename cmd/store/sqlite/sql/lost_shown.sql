-- Question:   What have the rows that are shown lost?
-- Parameters: none.
-- Columns:    the row's place and key, and what it lost; live_bytes and live_blocks of it.
SELECT s.place, sum(l.direct_bytes) AS direct_bytes, sum(l.direct_blocks) AS direct_blocks,
       sum(l.indirect_bytes) AS indirect_bytes, sum(l.indirect_blocks) AS indirect_blocks,
       sum(l.ring_blocks) AS ring_blocks, sum(l.bytes) AS live_bytes, sum(l.blocks) AS live_blocks,
       sum(l.direct_bytes + l.indirect_bytes) AS unreachable_bytes,
       sum(l.direct_blocks + l.indirect_blocks) AS unreachable_blocks, s.key
FROM temp.shown AS s CROSS JOIN temp.member AS m ON m.row = s.row AND m.side = 0 AND NOT m.is_root
CROSS JOIN temp.lost AS l ON l.id = m.id
GROUP BY s.place ORDER BY s.place;
