-- Work for the sqlite3 shell: tables that grow, a full-text index (which keeps prepared statements
-- of its own), and everything held in an in-memory database.
create table item(id integer primary key, name text, body text);
create index item_name on item(name);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 40000)
insert into item select i, 'item ' || i, printf('%.120c', 'x') from n;
create virtual table search using fts5(name, body);
insert into search select name, 'body of ' || name from item where id <= 5000;
with recursive n(i) as (select 40001 union all select i + 1 from n where i < 90000)
insert into item select i, 'item ' || i, printf('%.120c', 'y') from n;
create temp table report as select name, length(body) as size from item;
select count(*), sum(size) from report;
select count(*) from search where search match 'item';
