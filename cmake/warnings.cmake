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

# snap_harden(target): for what reads files of others.  Not for libsnap: a guard word or a checking function
# of libc may not be ready where it runs.  tests/fault/hardening.py looks at the result.
function(snap_harden target)
	if(SNAP_SANITIZE)
		return()
	endif()
	target_compile_options(${target} PRIVATE -fstack-protector-strong
		$<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE> $<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=2>)
	if(CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
		target_compile_options(${target} PRIVATE -fcf-protection)
	endif()
	get_target_property(type ${target} TYPE)
	if(NOT type STREQUAL "STATIC_LIBRARY")
		target_link_options(${target} PRIVATE -Wl,-z,relro -Wl,-z,now)
	endif()
	if(type STREQUAL "EXECUTABLE")
		target_link_options(${target} PRIVATE -pie)
	endif()
endfunction()
