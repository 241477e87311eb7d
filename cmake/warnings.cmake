# snap_flags(target): the project's language level, warnings and sanitizers.
# Warnings are errors only with SNAP_DEV, so that a newer compiler never breaks a user's build.
set(snap_warnings -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes
	-Wpointer-arith -Wwrite-strings -Wundef -Wvla -Wformat=2 -Wcast-qual -Wcast-align
	-Wimplicit-fallthrough -Wdouble-promotion)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
	list(APPEND snap_warnings -Wlogical-op -Wduplicated-cond -Wduplicated-branches
		-Wjump-misses-init)
endif()

function(snap_flags target)
	target_compile_definitions(${target} PRIVATE _GNU_SOURCE)
	target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/include)
	foreach(flag ${snap_warnings})
		target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:C>:${flag}>)
	endforeach()
	# The same commit gives the same bytes, wherever it is built.  A debugger finds the sources by
	# `set substitute-path .`; while snapdiff is worked on, the true paths are handier.
	if(SNAP_DEV)
		target_compile_options(${target} PRIVATE -Werror)
	else()
		target_compile_options(${target} PRIVATE
			-ffile-prefix-map=${PROJECT_BINARY_DIR}=build -ffile-prefix-map=${PROJECT_SOURCE_DIR}=.)
	endif()
	if(SNAP_SANITIZE)
		target_compile_options(${target} PRIVATE -fsanitize=${SNAP_SANITIZE}
			-fno-sanitize-recover=all -fno-omit-frame-pointer)
		target_link_options(${target} PRIVATE -fsanitize=${SNAP_SANITIZE})
	endif()
endfunction()
