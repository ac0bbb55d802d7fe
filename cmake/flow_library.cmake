# This table is the architecture: what each library may link and include. Configuring fails when
# one reaches sideways or up. `loadtest` sees neither broker nor shop: it must test a black box;
# only `apps` sees the drivers behind the door.
set(flow_may_base "")
set(flow_may_measure base)
set(flow_may_traffic base)
set(flow_may_net base)
set(flow_may_streaming base measure traffic net)  # The door, `load`, `audit`.
set(flow_may_streaming_kafka base net streaming)
set(flow_may_streaming_pulsar base net streaming)
set(flow_may_streaming_fake base net streaming)
set(flow_may_loadtest base measure traffic net)
set(flow_may_ecommerce base measure net streaming)
set(flow_may_analytics base measure net streaming)
set(flow_may_servers base net)
set(flow_may_web "")  # Reads result files only, and those in the browser.
set(flow_may_lab_result base measure)
set(flow_may_lab_plan base traffic net analytics servers)
set(flow_may_lab_join base measure traffic streaming loadtest servers lab_result)
set(flow_may_lab_trial base measure traffic net streaming loadtest ecommerce analytics servers
    lab_result lab_plan lab_join)
set(flow_may_lab_judge base measure lab_result lab_plan)  # Result files only, never a live trial.
set(flow_may_lab_dashboard base lab_result)               # The same.
set(flow_may_lab base measure streaming servers web lab_result lab_plan lab_trial lab_judge)
set(flow_may_apps ALL)
set(flow_rooms base measure traffic net streaming streaming_kafka streaming_pulsar streaming_fake
    loadtest ecommerce analytics servers web lab_result lab_plan lab_join lab_trial lab_judge
    lab_dashboard lab apps)

# The rooms that the library `name` may use, in `out`. FATAL_ERROR for a library without a row.
function(flow_permitted name out)
  if(NOT DEFINED flow_may_${name})
    message(FATAL_ERROR "'${name}' has no row in cmake/flow_library.cmake")
  endif()
  set(${out} "${flow_may_${name}}" PARENT_SCOPE)
endfunction()

# Fails when a source file or header of the library `name` includes a header of a room outside
# `may`. A file "streaming/kafka/x.hpp" belongs to the room streaming_kafka where there is one.
function(flow_check_includes name may)
  file(GLOB headers CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.hpp)
  foreach(file IN LISTS ARGN headers)
    cmake_path(ABSOLUTE_PATH file BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
    if(NOT EXISTS ${file})
      continue()  # Generated while building.
    endif()
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
    file(STRINGS ${file} lines REGEX "^#include \"[a-z_]+/")
    foreach(line IN LISTS lines)
      string(REGEX REPLACE "^#include \"([a-z_]+)/.*" "\\1" room "${line}")
      if(line MATCHES "^#include \"([a-z_]+)/([a-z_]+)/")
        set(inner ${CMAKE_MATCH_1}_${CMAKE_MATCH_2})
        if(inner IN_LIST flow_rooms)
          set(room ${inner})
        endif()
      endif()
      if(room IN_LIST flow_rooms AND NOT room STREQUAL name AND NOT room IN_LIST may)
        message(FATAL_ERROR "${file}: ${name} may not include '${room}': ${line}\n"
                            "The table in cmake/flow_library.cmake says what each room may use.")
      endif()
    endforeach()
  endforeach()
endfunction()

# flow_library(streaming_kafka SOURCES a.cpp DEPS streaming VENDOR PkgConfig::rdkafka)
# DEPS: rooms (checked). VENDOR: packages, never visible to users of the library.
# PUBLIC_VENDOR: packages whose headers the library's own headers need.
function(flow_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;DEPS;VENDOR;PUBLIC_VENDOR")
  flow_permitted(${name} may)
  if(NOT may STREQUAL "ALL")
    foreach(dep IN LISTS arg_DEPS)
      if(NOT dep IN_LIST may)
        message(FATAL_ERROR "${name} may not use '${dep}', see cmake/flow_library.cmake")
      endif()
    endforeach()
    flow_check_includes(${name} "${may}" ${arg_SOURCES})
  endif()
  add_library(flow_${name} STATIC ${arg_SOURCES})
  list(TRANSFORM arg_DEPS PREPEND flow_)
  target_link_libraries(flow_${name}
    PUBLIC ${arg_DEPS} ${arg_PUBLIC_VENDOR}
    PRIVATE flow_options ${arg_VENDOR})
endfunction()

# flow_test(measure_unit TIER unit SOURCES tests/a_test.cpp DEPS measure VENDOR ...)
# One binary per library and tier, one ctest entry per binary under the label of its tier (real
# servers are shared by the cases of a binary). Tiers: unit, loopback, cluster, e2e. Each has a
# time-out in seconds, so that a hang is a failure.
function(flow_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIER;TIMEOUT" "SOURCES;DEPS;VENDOR")
  if(FLOW_FUZZ)
    return()
  endif()
  add_executable(${name} ${arg_SOURCES})
  list(TRANSFORM arg_DEPS PREPEND flow_)
  target_link_libraries(${name} PRIVATE flow_options ${arg_DEPS} ${arg_VENDOR}
                        GTest::gmock GTest::gtest GTest::gtest_main)
  target_compile_definitions(${name} PRIVATE FLOW_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
                             FLOW_BINARY_DIR="${PROJECT_BINARY_DIR}")
  # Tests are built by the target of their tier, so that a user's build does not pay for them.
  set_target_properties(${name} PROPERTIES EXCLUDE_FROM_ALL ON)
  add_dependencies(tests_${arg_TIER} ${name})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 60)
  endif()
  add_test(NAME ${name} COMMAND ${name} --gtest_brief=1)
  set_tests_properties(${name} PROPERTIES LABELS ${arg_TIER} TIMEOUT ${arg_TIMEOUT})
  set_property(GLOBAL APPEND PROPERTY flow_test_binaries "${arg_TIER} ${name}")
endfunction()

# flow_benchmark(measure_bench SOURCES bench/x_bench.cpp DEPS measure): Google Benchmark; run in
# smoke mode by the tier `bench`, so that it cannot rot.
function(flow_benchmark name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;DEPS;VENDOR")
  if(FLOW_FUZZ)
    return()
  endif()
  add_executable(${name} ${arg_SOURCES})
  list(TRANSFORM arg_DEPS PREPEND flow_)
  target_link_libraries(${name} PRIVATE flow_options ${arg_DEPS} ${arg_VENDOR}
                        benchmark::benchmark benchmark::benchmark_main)
  set_target_properties(${name} PROPERTIES EXCLUDE_FROM_ALL ON)
  add_dependencies(tests_bench ${name})
  add_test(NAME ${name} COMMAND ${name} --benchmark_min_time=0.01)
  set_tests_properties(${name} PROPERTIES LABELS bench TIMEOUT 60)
  set_property(GLOBAL APPEND PROPERTY flow_test_binaries "bench ${name}")
endfunction()

# flow_fuzzer(pulsar_frame_fuzz SOURCES fuzz/x.cpp DEPS streaming_pulsar): built in the fuzz preset.
function(flow_fuzzer name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;DEPS;VENDOR")
  if(NOT FLOW_FUZZ)
    return()
  endif()
  add_executable(${name} ${arg_SOURCES})
  list(TRANSFORM arg_DEPS PREPEND flow_)
  target_link_libraries(${name} PRIVATE flow_options ${arg_DEPS} ${arg_VENDOR})
  target_compile_options(${name} PRIVATE -fsanitize=fuzzer)
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
endfunction()
