-- Work for the sqlite3 shell on an in-memory database.
create table t(a integer primary key, b text, c blob);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 500000)
insert into t select i, printf('row %d of many', i), randomblob(40) from n;
create index t_b on t(b);
select count(*), sum(length(c)) from t where b like '%9%';
update t set b = upper(b) where a % 3 = 0;
delete from t where a % 5 = 0;
select count(distinct substr(b, 1, 8)) from t;
