# What `cmake --install` gives besides the program, the library, the headers and the manual pages:
# a pkg-config file and a CMake package.
include(CMakePackageConfigHelpers)

# Relative, so that the file is right wherever the prefix ends up.
file(RELATIVE_PATH prefix_from_pc /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
function(install_pc pc_name pc_library pc_description)
	configure_file(${PROJECT_SOURCE_DIR}/cmake/library.pc.in ${PROJECT_BINARY_DIR}/${pc_name}.pc
		@ONLY)
	install(FILES ${PROJECT_BINARY_DIR}/${pc_name}.pc
		DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endfunction()
install_pc(libsnap snap "Heap snapshots from inside a running program")
install_pc(libsnapread snapread "Decode heap snapshot files")

if(TARGET snap)
	set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/snap)
	install(EXPORT snapTargets NAMESPACE snap:: DESTINATION ${package_dir})
	configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/snapConfig.cmake.in
		${PROJECT_BINARY_DIR}/snapConfig.cmake INSTALL_DESTINATION ${package_dir})
	write_basic_package_version_file(${PROJECT_BINARY_DIR}/snapConfigVersion.cmake
		COMPATIBILITY SameMinorVersion)
	install(FILES ${PROJECT_BINARY_DIR}/snapConfig.cmake
		${PROJECT_BINARY_DIR}/snapConfigVersion.cmake DESTINATION ${package_dir})
endif()

file(GLOB manual_pages CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/cmd/man/*.1)
install(FILES ${manual_pages} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
