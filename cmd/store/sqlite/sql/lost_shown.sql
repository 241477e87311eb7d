-- Question:   What does nothing reach, by the rows that are shown?
-- Parameters: ?1 snapshot.
-- Columns:    the row's key, its place, and what it lost; live_bytes and live_blocks of it.
SELECT s.key, s.place, sum(g.direct_bytes + g.indirect_bytes) AS unreachable_bytes,
       sum(g.direct_blocks + g.indirect_blocks) AS unreachable_blocks,
       sum(g.direct_bytes) AS direct_bytes, sum(g.direct_blocks) AS direct_blocks,
       sum(g.indirect_bytes) AS indirect_bytes, sum(g.indirect_blocks) AS indirect_blocks,
       sum(g.ring_blocks) AS ring_blocks, sum(g.bytes) AS live_bytes, sum(g.blocks) AS live_blocks
FROM temp.shown AS s JOIN temp.member AS m ON m.is_root = 0 AND m.row = s.row
JOIN block_group AS g ON g.snapshot_id = ?1 AND g.id = m.id
GROUP BY s.place ORDER BY s.place;
