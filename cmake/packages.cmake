# What `cpack` makes of a build: Debian packages, one per component, and one tarball that works wherever it is
# unpacked.  Two builds of one commit give the same bytes when SOURCE_DATE_EPOCH is set (`./dev package` does).
set(CPACK_GENERATOR "DEB;TGZ")
set(CPACK_PACKAGE_NAME snapdiff)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "the snapdiff maintainers <maintainers@snapdiff.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY ${PROJECT_DESCRIPTION})
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_BINARY_DIR}/packages)
set(CPACK_STRIP_FILES ON)
set(CPACK_THREADS 0)

# The tarball holds everything below one directory, whose name says for what machine it is.
set(CPACK_ARCHIVE_COMPONENT_INSTALL OFF)
set(CPACK_PACKAGE_FILE_NAME snapdiff-${PROJECT_VERSION}-linux-${CMAKE_SYSTEM_PROCESSOR})

set(CPACK_COMPONENTS_ALL snapdiff libsnap0 libsnap-dev python3-snapdiff)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${CMAKE_LIBRARY_OUTPUT_DIRECTORY})
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

# snap_debian(COMPONENT SECTION SUMMARY DEPENDS): the package has the component's name.
macro(snap_debian component section summary depends)
	string(TOUPPER ${component} component_key)
	set(CPACK_DEBIAN_${component_key}_PACKAGE_NAME ${component})
	set(CPACK_DEBIAN_${component_key}_PACKAGE_SECTION ${section})
	set(CPACK_COMPONENT_${component_key}_DESCRIPTION "${summary}")
	set(CPACK_DEBIAN_${component_key}_PACKAGE_DEPENDS "${depends}")
endmacro()
set(same_version "(= ${PROJECT_VERSION})")
snap_debian(snapdiff devel "compare heap snapshots and judge growth" "libsnap0 ${same_version}")
snap_debian(libsnap0 libs "heap snapshots from inside a running program" "")
snap_debian(libsnap-dev libdevel "headers and static library of libsnap" "libsnap0 ${same_version}")
snap_debian(python3-snapdiff python "record and judge the heap of Python programs"
	"python3 (>= 3.9), snapdiff ${same_version}")
set(CPACK_DEBIAN_PYTHON3-SNAPDIFF_PACKAGE_ARCHITECTURE all)
set(CPACK_DEBIAN_PYTHON3-SNAPDIFF_PACKAGE_CONTROL_EXTRA ${PROJECT_SOURCE_DIR}/cmake/debian/prerm)
include(CPack)
