# Every library we stand on, found once.  Each has one home in the source (see README's table).
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

# libsnap carries zstd inside, with hidden symbols, so that it can never clash with the host's copy.
find_path(ZSTD_INCLUDE_DIR zstd.h REQUIRED)
find_library(ZSTD_STATIC_LIBRARY NAMES libzstd.a REQUIRED)
add_library(snap_zstd INTERFACE)
target_include_directories(snap_zstd SYSTEM INTERFACE ${ZSTD_INCLUDE_DIR})
target_link_libraries(snap_zstd INTERFACE ${ZSTD_STATIC_LIBRARY})

pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3)
pkg_check_modules(NCURSES REQUIRED IMPORTED_TARGET ncursesw)
pkg_check_modules(EDIT REQUIRED IMPORTED_TARGET libedit)
pkg_check_modules(INIH REQUIRED IMPORTED_TARGET inih)
pkg_check_modules(ZLIB REQUIRED IMPORTED_TARGET zlib)
pkg_check_modules(ELFUTILS REQUIRED IMPORTED_TARGET libdw libelf)

# Names of C++ and Rust.  It comes as an archive only; nothing but the demangler is taken from it.
find_path(IBERTY_INCLUDE_DIR libiberty/demangle.h REQUIRED)
find_library(IBERTY_STATIC_LIBRARY NAMES libiberty.a REQUIRED)
add_library(snap_iberty INTERFACE)
target_include_directories(snap_iberty SYSTEM INTERFACE ${IBERTY_INCLUDE_DIR})
target_link_libraries(snap_iberty INTERFACE ${IBERTY_STATIC_LIBRARY})
if(SNAP_TESTS)
	pkg_check_modules(CJSON REQUIRED IMPORTED_TARGET libcjson)
	pkg_check_modules(CRITERION REQUIRED IMPORTED_TARGET criterion)
endif()

# The charts of HTML pages: one script, put into the program (Debian: libjs-dygraphs).
find_file(DYGRAPH_JS dygraph.min.js PATHS /usr/share/javascript/dygraphs NO_DEFAULT_PATH REQUIRED)
find_file(DYGRAPH_CSS dygraph.min.css PATHS /usr/share/javascript/dygraphs NO_DEFAULT_PATH REQUIRED)
find_file(DYGRAPH_LICENCE copyright PATHS /usr/share/doc/libjs-dygraphs NO_DEFAULT_PATH REQUIRED)
