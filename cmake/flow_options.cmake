# What every target of Flow is compiled with. One interface target, flow_options, carries it.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
# -O2 -g1: line tables for profiles and stack traces without gigabytes of debug information.
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1 -DNDEBUG")
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g1 -fno-omit-frame-pointer")

set(FLOW_SANITIZE "" CACHE STRING "Sanitizers, as for -fsanitize= (empty: none)")
option(FLOW_FUZZ "Build libFuzzer targets" OFF)

find_program(FLOW_CCACHE ccache)
if(FLOW_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${FLOW_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${FLOW_CCACHE})
endif()

add_library(flow_options INTERFACE)
target_include_directories(flow_options INTERFACE ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/generated)
target_compile_options(flow_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror
  -ffp-contract=off  # The schedule hashes are defined without fused multiply-add.
  # GCC 12 reports false positives from inlined library code at -O2.
  $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized -Wno-stringop-overflow -Wno-array-bounds
    -Wno-restrict -Wno-dangling-pointer -Wno-stringop-overread -Wno-mismatched-new-delete>)
target_compile_definitions(flow_options INTERFACE
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION
  BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_DISABLE_BOOST_COROUTINE)
if(FLOW_SANITIZE)
  target_compile_options(flow_options INTERFACE -fsanitize=${FLOW_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(flow_options INTERFACE -fsanitize=${FLOW_SANITIZE})
  target_compile_definitions(flow_options INTERFACE FLOW_SANITIZED)
  if(FLOW_SANITIZE STREQUAL "thread")
    # ThreadSanitizer does not model the fences that Asio uses.
    target_compile_definitions(flow_options INTERFACE BOOST_ASIO_DISABLE_FENCED_BLOCK)
    target_compile_options(flow_options INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-tsan>)
  endif()
endif()

if(FLOW_FUZZ)
  # The libraries report their coverage too: without it libFuzzer sees only the target's own file.
  target_compile_options(flow_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS json url)
find_package(fmt REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(ZLIB REQUIRED)
find_package(GTest REQUIRED)
find_package(benchmark REQUIRED)
target_link_libraries(flow_options INTERFACE Threads::Threads)
