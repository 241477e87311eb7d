# needs: lua5.4
lua5.4 -e 'local t = {} for i = 1, 300000 do t[i] = ("k" .. i * 7919 % 100003) end table.sort(t) print(t[777], #t)
local f = io.popen("echo child") print(f:read("a")) f:close() os.exit(6)'
