# needs: cmake ninja cc
printf 'cmake_minimum_required(VERSION 3.20)\nproject(p C)\nadd_library(l l.c)\nadd_executable(m m.c)\ntarget_link_libraries(m l)\n' >CMakeLists.txt
echo 'int l(void) { return 6; }' >l.c; echo 'int l(void); int main(void) { return l(); }' >m.c
cmake -S . -B b -G Ninja >log && cmake --build b >>log && b/m
