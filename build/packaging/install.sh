#!/usr/bin/env bash
# usage: install.sh LIBRARY PREFIX: library, headers, pkg-config file and CMake package for C and C++ users.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
library=$(realpath "$1"); prefix=$(realpath -m "$2")
version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$root/pyproject.toml" | head -1)
mkdir -p "$prefix/lib/pkgconfig" "$prefix/lib/cmake/tstrans" "$prefix/include/tstrans"
install -m 755 "$library" "$prefix/lib/libtstrans.so"
install -m 644 "$root"/include/tstrans.h "$prefix/include/"
install -m 644 "$root"/include/tstrans/*.h "$prefix/include/tstrans/"
cat > "$prefix/lib/pkgconfig/tstrans.pc" <<PC
prefix=\${pcfiledir}/../..
includedir=\${prefix}/include
libdir=\${prefix}/lib

Name: tstrans
Description: MPEG-TS, MISB KLV and live transports
Version: $version
Libs: -L\${libdir} -ltstrans
Cflags: -I\${includedir}
PC
cat > "$prefix/lib/cmake/tstrans/tstransConfig.cmake" <<'CMAKE'
get_filename_component(_tstrans_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
if(NOT TARGET tstrans::tstrans)
  add_library(tstrans::tstrans SHARED IMPORTED)
  set_target_properties(tstrans::tstrans PROPERTIES
    IMPORTED_LOCATION "${_tstrans_prefix}/lib/libtstrans.so"
    IMPORTED_NO_SONAME TRUE
    INTERFACE_INCLUDE_DIRECTORIES "${_tstrans_prefix}/include")
endif()
CMAKE
cat > "$prefix/lib/cmake/tstrans/tstransConfigVersion.cmake" <<CMAKE
set(PACKAGE_VERSION "$version")
if(PACKAGE_FIND_VERSION VERSION_LESS_EQUAL PACKAGE_VERSION)
  set(PACKAGE_VERSION_COMPATIBLE TRUE)
endif()
CMAKE
