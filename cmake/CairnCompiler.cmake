# Language level, warnings, sanitizers and the compiler cache, for every target of the project.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE OFF)

find_program(CAIRN_CCACHE ccache)
if(CAIRN_CCACHE)
  # Precompiled headers are cacheable only with these; see ccache(1), "PRECOMPILED HEADERS".
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${CAIRN_CCACHE})
endif()

add_library(cairn_options INTERFACE)
target_compile_options(cairn_options INTERFACE
  -Wall -Wextra -Wpedantic -Werror -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wcast-qual
  -Wimplicit-fallthrough -Wformat=2 -Wundef)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # -fpch-preprocess is what ccache asks for; GCC 12 warns falsely on coroutine frames.
  target_compile_options(cairn_options INTERFACE -fpch-preprocess -Wno-mismatched-new-delete
    -Wno-maybe-uninitialized -Wlogical-op -Wduplicated-cond)
endif()
target_compile_definitions(cairn_options INTERFACE
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_DISABLE_BOOST_COROUTINE
  BOOST_ASIO_RECYCLING_ALLOCATOR_CACHE_SIZE=16
  SPDLOG_COMPILED_LIB SPDLOG_FMT_EXTERNAL)
target_include_directories(cairn_options INTERFACE ${CMAKE_SOURCE_DIR})

if(CAIRN_FUZZ)
  # The libraries report their branches too, not only the targets themselves.
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
if(CAIRN_SANITIZE)
  add_compile_options(-fsanitize=${CAIRN_SANITIZE} -fno-omit-frame-pointer -g1)
  add_link_options(-fsanitize=${CAIRN_SANITIZE})
  if(CAIRN_SANITIZE MATCHES "undefined")
    add_compile_options(-fno-sanitize-recover=undefined -fno-sanitize=vptr)
  endif()
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # GCC's sanitizer instrumentation raises false positives of these.
    target_compile_options(cairn_options INTERFACE -Wno-tsan -Wno-stringop-overflow -Wno-array-bounds
      -Wno-null-dereference -Wno-restrict)
  endif()
endif()
