# cairn_layer(NAME SOURCES ... LINK ...): one layer as a static library with the shared options and the
# shared precompiled header. LINK names what the layer may see; tests/tidy checks the includes too.
function(cairn_layer name)
  set_property(GLOBAL APPEND PROPERTY CAIRN_LAYERS ${name})
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK;PRIVATE_LINK" ${ARGN})
  if(NOT ARG_SOURCES)
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE ${ARG_LINK})
    return()
  endif()
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC ${ARG_LINK} PRIVATE ${ARG_PRIVATE_LINK})
  cairn_precompile(${name})
endfunction()

# The precompiled header holds the standard library and Asio. No source relies on it: tests/tidy
# compiles every header by itself without it.
function(cairn_precompile name)
  if(NOT CAIRN_FUZZ AND NOT name STREQUAL "cairn_base")
    target_precompile_headers(${name} REUSE_FROM cairn_base)
  elseif(name STREQUAL "cairn_base" AND NOT CAIRN_FUZZ)
    target_precompile_headers(cairn_base PRIVATE ${CMAKE_SOURCE_DIR}/cmake/pch.h)
  endif()
endfunction()

# cairn_test(NAME SOURCES ... LINK ...): one GoogleTest binary, registered with ctest as one test with a
# time limit (TIMEOUT seconds, 300 unless told: ThreadSanitizer is slow). LABELS: unit unless told.
function(cairn_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;LINK;LABELS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  if(NOT ARG_LABELS)
    set(ARG_LABELS unit)
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_LINK} GTest::gmock GTest::gtest_main)
  cairn_precompile(${name})
  add_test(NAME ${name} COMMAND ${name} --gtest_brief=1)
  set_tests_properties(${name} PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS "${ARG_LABELS}")
endfunction()
