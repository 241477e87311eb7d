# needs: memcached perl
memcached -s "$PWD/s" -u root -m 64 -t 4 &
server=$!
while ! [ -S s ]; do sleep .05; done
perl -MIO::Socket::UNIX -e '
my $s = IO::Socket::UNIX->new(Peer => "s") or die; my ($n, $sum) = (0, 0);
for my $i (1..20000) { my $v = "v" x ($i % 300); print $s "set k$i 0 0 ", length $v, "\r\n$v\r\n"; $n++ if <$s> =~ /STORED/; }
for my $i (1..20000) { print $s "get k$i\r\n"; while (<$s>) { last if /^END/; $sum += length unless /^VALUE/; } }
print "$n stored, $sum bytes\n";'
kill -TERM $server
wait $server
echo "ended with $?"
