# needs: mariadbd
mkdir data tmp
mariadbd --no-defaults --bootstrap --user="$(id -un)" --datadir="$PWD/data" --tmpdir="$PWD/tmp" --secure-file-priv= 2>log <<X
create database d;
create table d.t (a int primary key, b varchar(80)) engine=innodb;
insert into d.t select seq, md5(seq) from (with recursive n as (select 1 seq union all select seq + 1 from n where seq < 900) select seq from n) x;
insert into d.t select a + 1000, md5(a) from d.t; insert into d.t select a + 2000, md5(b) from d.t;
insert into d.t select a + 4000, md5(b) from d.t; insert into d.t select a + 8000, md5(b) from d.t;
update d.t set b = concat(b, 'x') where a % 3 = 0;
select count(*), sum(length(b)), min(b) from d.t into outfile '$PWD/out';
X
status=$?
cat out
exit $status
