# snapfreeze-static: the program without shared libraries, which runs on any Linux. It has the same objects as snapfreeze. Debian has
# archives of OpenSSL, yaml-cpp, brotli and zlib only. The other libraries are compiled here, from Debian's sources (`apt-get source`),
# so that they fit the headers that the objects were compiled with.
foreach(name cpp-httplib fmtlib prometheus-cpp spdlog)
  file(GLOB source_${name} LIST_DIRECTORIES true ${SNAPFREEZE_SOURCES}/${name}-*)
  list(FILTER source_${name} EXCLUDE REGEX "\\.(dsc|xz|gz|asc|bz2)$")
  if(NOT source_${name})
    message(FATAL_ERROR "SNAPFREEZE_SOURCES has no ${name}: apt-get source ${name}")
  endif()
endforeach()
set(split ${CMAKE_CURRENT_BINARY_DIR}/cpp-httplib)
execute_process(COMMAND python3 ${source_cpp-httplib}/split.py --out ${split} OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)

file(GLOB prometheus_files ${source_prometheus-cpp}/core/src/*.cc ${source_prometheus-cpp}/core/src/detail/*.cc)
file(GLOB spdlog_files ${source_spdlog}/src/*.cpp)
list(FILTER spdlog_files EXCLUDE REGEX "/bundled_fmtlib")
add_library(snapfreeze_libraries STATIC EXCLUDE_FROM_ALL
            ${split}/httplib.cc ${source_fmtlib}/src/format.cc ${source_fmtlib}/src/os.cc ${prometheus_files} ${spdlog_files})
# As each of them is compiled in Debian; what they warn of is not ours.
set_target_properties(snapfreeze_libraries PROPERTIES UNITY_BUILD OFF COMPILE_OPTIONS -w)
target_compile_definitions(snapfreeze_libraries PRIVATE PROMETHEUS_CPP_CORE_STATIC_DEFINE SPDLOG_COMPILED_LIB SPDLOG_FMT_EXTERNAL)
target_include_directories(snapfreeze_libraries BEFORE PRIVATE ${split} ${source_fmtlib}/include ${source_prometheus-cpp}/core/include
                           ${source_prometheus-cpp}/core/src ${source_spdlog}/include)
target_compile_options(snapfreeze_libraries PRIVATE ${HTTPLIB_CFLAGS_OTHER})

add_executable(snapfreeze-static EXCLUDE_FROM_ALL main.cpp)
foreach(part base tls kube freeze certs edge webhook sweeper version by_hand cli anywhere)
  target_sources(snapfreeze-static PRIVATE $<TARGET_OBJECTS:snapfreeze_${part}>)
endforeach()
# The map says what was linked, for the list of parts.
target_link_options(snapfreeze-static PRIVATE -static-pie LINKER:-Map=${CMAKE_BINARY_DIR}/snapfreeze-static.map)
target_link_libraries(snapfreeze-static PRIVATE snapfreeze_libraries -Wl,--start-group -l:libyaml-cpp.a -l:libssl.a -l:libcrypto.a -l:libbrotlidec.a
                      -l:libbrotlienc.a -l:libbrotlicommon.a -l:libz.a -Wl,--end-group)
