# Writes OUTPUT, a source file with the version, if that is not what it says already.
execute_process(COMMAND ${CMAKE_CURRENT_LIST_DIR}/../scripts/version OUTPUT_VARIABLE SNAPFREEZE_VERSION OUTPUT_STRIP_TRAILING_WHITESPACE
                COMMAND_ERROR_IS_FATAL ANY)
configure_file(${CMAKE_CURRENT_LIST_DIR}/version.cpp.in ${OUTPUT} @ONLY)
