# Writes OUTPUT with the commit of SOURCE_DIR, only when it changed: run at every build, so that a
# result names the code that made it.
cmake_minimum_required(VERSION 3.25)
execute_process(COMMAND git -C ${SOURCE_DIR} describe --always --dirty --abbrev=12
                OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(NOT commit)
  set(commit unknown)
endif()
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT "#define FLOW_COMMIT \"@commit@\"\n" @ONLY)
