# What `cmake --install` gives besides the program, the libraries and the headers: pkg-config files, a CMake
# package, manual pages, the licence and completion for shells; and `cmake --build BUILD --target uninstall`.
include(CMakePackageConfigHelpers)

# Relative, so that the file is right wherever the prefix ends up.
file(RELATIVE_PATH prefix_from_pc /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
function(install_pc pc_name pc_library pc_description)
	configure_file(${PROJECT_SOURCE_DIR}/cmake/library.pc.in ${PROJECT_BINARY_DIR}/${pc_name}.pc
		@ONLY)
	install(FILES ${PROJECT_BINARY_DIR}/${pc_name}.pc
		DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT libsnap-dev)
endfunction()
install_pc(libsnap snap "Heap snapshots from inside a running program")
install_pc(libsnapread snapread "Decode heap snapshot files")

if(TARGET snap)
	set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/snap)
	install(EXPORT snapTargets NAMESPACE snap:: DESTINATION ${package_dir} COMPONENT libsnap-dev)
	configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/snapConfig.cmake.in
		${PROJECT_BINARY_DIR}/snapConfig.cmake INSTALL_DESTINATION ${package_dir})
	write_basic_package_version_file(${PROJECT_BINARY_DIR}/snapConfigVersion.cmake
		COMPATIBILITY SameMinorVersion)
	install(FILES ${PROJECT_BINARY_DIR}/snapConfig.cmake
		${PROJECT_BINARY_DIR}/snapConfigVersion.cmake DESTINATION ${package_dir}
		COMPONENT libsnap-dev)
endif()

foreach(section 1 7)
	file(GLOB manual_pages CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/cmd/man/*.${section})
	install(FILES ${manual_pages} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section}
		COMPONENT snapdiff)
endforeach()
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE ${PROJECT_SOURCE_DIR}/README.md
	${PROJECT_SOURCE_DIR}/docs/python.md ${PROJECT_SOURCE_DIR}/docs/ci.md ${PROJECT_SOURCE_DIR}/docs/limits.md
	DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT snapdiff)

# bash-completion finds it below any prefix that is in XDG_DATA_DIRS, and below ~/.local.
if(TARGET snapdiff AND NOT CMAKE_CROSSCOMPILING)
	set(completion ${PROJECT_BINARY_DIR}/generated/completion.bash)
	add_custom_command(OUTPUT ${completion}
		COMMAND snapdiff help --completion bash > ${completion}
		DEPENDS snapdiff VERBATIM)
	add_custom_target(completion ALL DEPENDS ${completion})
	install(FILES ${completion} DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
		RENAME snapdiff COMPONENT snapdiff)
endif()

if(TARGET completion)
	set(fish ${PROJECT_BINARY_DIR}/generated/completion.fish)
	add_custom_command(OUTPUT ${fish} COMMAND snapdiff help --completion fish > ${fish}
		DEPENDS snapdiff VERBATIM)
	add_custom_target(completion_fish ALL DEPENDS ${fish})
	install(FILES ${fish} DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d
		RENAME snapdiff.fish COMPONENT snapdiff)
endif()

add_custom_target(uninstall COMMAND ${CMAKE_COMMAND} -DMANIFEST=${PROJECT_BINARY_DIR}/install_manifest.txt
	-P ${PROJECT_SOURCE_DIR}/cmake/uninstall.cmake VERBATIM)

# The Python package, where the system's Python of a prefix looks (elsewhere: PYTHONPATH).  `wheel` makes
# a file for pip of the same.
set(python_dir lib/python3/dist-packages)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/libsnap/python/snapdiff DESTINATION ${python_dir}
	COMPONENT python3-snapdiff
	FILES_MATCHING PATTERN "*.py" PATTERN "py.typed" PATTERN "__pycache__" EXCLUDE)
configure_file(${PROJECT_SOURCE_DIR}/libsnap/python/dist-info/METADATA.in
	${PROJECT_BINARY_DIR}/python/METADATA @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/python/METADATA
	${PROJECT_SOURCE_DIR}/libsnap/python/dist-info/entry_points.txt
	DESTINATION ${python_dir}/snapdiff-${PROJECT_VERSION}.dist-info
	COMPONENT python3-snapdiff)
find_program(PYTHON3 python3)
if(PYTHON3 AND TARGET snap AND TARGET snapdiff)
	add_custom_target(wheel COMMAND ${PYTHON3} ${PROJECT_SOURCE_DIR}/libsnap/python/make_wheel.py
		${PROJECT_BINARY_DIR} ${PROJECT_VERSION} ${PROJECT_BINARY_DIR}/wheel
		DEPENDS snap snapdiff VERBATIM)
endif()
include(${PROJECT_SOURCE_DIR}/cmake/packages.cmake)
