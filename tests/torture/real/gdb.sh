# needs: gdb cc
printf 'int f(int x) {\n return x * 2;\n}\nint main(void) {\n return f(3);\n}\n' >a.c
cc -g -o a a.c
gdb -nx -batch -ex 'set debuginfod enabled off' -ex 'break f' -ex run -ex bt -ex cont ./a 2>/dev/null | grep '^#'
