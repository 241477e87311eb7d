# needs: ruby
ruby -e '
h = {}; 200_000.times { |i| h["k#{i}"] = [i, "v" * (i % 50)] }
t = 4.times.map { |n| Thread.new { h.select { |_, v| v[0] % 4 == n }.sum { |_, v| v[1].size } } }
p t.map(&:value), h.size
puts `echo child`
pid = fork { a = (1..50_000).map(&:to_s); exit a.size % 7 }
Process.wait pid; p $?.exitstatus
GC.start; puts "end"; exit 4'
