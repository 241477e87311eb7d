# Cross-building for aarch64 with Debian's compiler, against a tree of Debian's arm64 packages that
# SNAP_ARM64_ROOT names; what is built is run under qemu-user.  `./dev test-arm64` sets all of it up.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)

list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES SNAP_ARM64_ROOT)
set(CMAKE_SYSROOT ${SNAP_ARM64_ROOT})
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(ENV{PKG_CONFIG_SYSROOT_DIR} ${SNAP_ARM64_ROOT})
set(ENV{PKG_CONFIG_LIBDIR}
	${SNAP_ARM64_ROOT}/usr/lib/aarch64-linux-gnu/pkgconfig:${SNAP_ARM64_ROOT}/usr/share/pkgconfig)

set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64;-L;${SNAP_ARM64_ROOT})
