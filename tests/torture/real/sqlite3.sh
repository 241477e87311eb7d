# needs: sqlite3
sqlite3 db <<'X'
create table t(a integer primary key, b text);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 100000)
insert into t select i, hex(i * 7919) || printf('%0100d', i) from n;
create index u on t(b); update t set b = b || 'x' where a % 3 = 0; delete from t where a % 7 = 0; vacuum;
select count(*), sum(length(b)), min(b) from t; select json_group_array(a) from t where a < 30;
with recursive n(i) as (select 1 union all select i + 1 from n where i < 200000) select count(distinct i * 7919 % 100003) from n;
pragma integrity_check;
X
sqlite3 db 'select no_such_column from t' 2>&1; exit $?
