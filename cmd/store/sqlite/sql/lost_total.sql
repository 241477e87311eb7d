-- Question:   What is lost in a snapshot, and in the rows that are shown?
-- Parameters: none.
-- Columns:    the scope, and what it lost; live_bytes and live_blocks of it.
--
-- An interpreter's objects are in blocks, too: those count once.
WITH part AS (
    SELECT 'all' AS scope, l.* FROM temp.lost AS l WHERE l.kind = 0 OR l.direct_blocks + l.indirect_blocks > 0
    UNION ALL
    SELECT 'shown', l.*
    FROM temp.shown AS s CROSS JOIN temp.member AS m ON m.row = s.row AND m.side = 0 AND NOT m.is_root
    CROSS JOIN temp.lost AS l ON l.id = m.id),
scope AS (SELECT 'all' AS name UNION ALL SELECT 'shown')
SELECT s.name AS scope, sum(p.direct_bytes) AS direct_bytes, sum(p.direct_blocks) AS direct_blocks,
       sum(p.indirect_bytes) AS indirect_bytes, sum(p.indirect_blocks) AS indirect_blocks,
       sum(p.ring_blocks) AS ring_blocks, sum(p.bytes) AS live_bytes, sum(p.blocks) AS live_blocks,
       sum(p.direct_bytes + p.indirect_bytes) AS unreachable_bytes,
       sum(p.direct_blocks + p.indirect_blocks) AS unreachable_blocks
FROM scope AS s LEFT JOIN part AS p ON p.scope = s.name
GROUP BY s.name ORDER BY s.name;
