# How a harness of fuzz/ becomes a program: for libFuzzer, for AFL++, for an engine that the environment brings, or to replay files.
#
#   TCPASSAY_FUZZ=libfuzzer (or ON)  clang's own; everything is instrumented with -fsanitize=fuzzer-no-link
#   TCPASSAY_FUZZ=afl                CMAKE_C_COMPILER is afl-clang-fast, which instruments; the harness loops over test cases in shared memory
#   TCPASSAY_FUZZ=engine             as OSS-Fuzz and ClusterFuzzLite build: CFLAGS instrument, and $LIB_FUZZING_ENGINE is linked, by $CXX
#   TCPASSAY_FUZZ=OFF                programs that run the harness once over each file named: every build replays the corpora as tests
set(TCPASSAY_FUZZER "${TCPASSAY_FUZZ}")
if(TCPASSAY_FUZZER STREQUAL "ON")
  set(TCPASSAY_FUZZER libfuzzer)
endif()

if(TCPASSAY_FUZZER STREQUAL "libfuzzer")
  target_compile_options(tcpassay_flags INTERFACE -fsanitize=fuzzer-no-link)
  target_link_options(tcpassay_flags INTERFACE -fsanitize=fuzzer-no-link)
elseif(TCPASSAY_FUZZER STREQUAL "afl")
  if(NOT CMAKE_C_COMPILER MATCHES "afl-")
    message(FATAL_ERROR "TCPASSAY_FUZZ=afl wants AFL++'s compiler: -DCMAKE_C_COMPILER=afl-clang-fast")
  endif()
elseif(TCPASSAY_FUZZER STREQUAL "engine")
  if("$ENV{LIB_FUZZING_ENGINE}" STREQUAL "")
    message(FATAL_ERROR "TCPASSAY_FUZZ=engine wants LIB_FUZZING_ENGINE in the environment, as OSS-Fuzz gives it")
  endif()
  separate_arguments(TCPASSAY_ENGINE UNIX_COMMAND "$ENV{LIB_FUZZING_ENGINE}")
  enable_language(CXX) # engines are C++
elseif(TCPASSAY_FUZZER)
  message(FATAL_ERROR "TCPASSAY_FUZZ is \"${TCPASSAY_FUZZ}\", which is none of libfuzzer, afl, engine, OFF")
endif()

# tcpassay_fuzzer(packet SOURCES packet.c USES packet [MUTATOR]): packet_fuzzer from LLVMFuzzerTestOneInput; MUTATOR: its inputs are scenarios
# as octets (docs/fuzz-bytes.md), and the mutator that knows them is linked.
function(tcpassay_fuzzer name)
  cmake_parse_arguments(ARG "MUTATOR" "" "SOURCES;USES;LINKS" ${ARGN})
  list(TRANSFORM ARG_USES PREPEND tcpassay_)
  add_executable(${name}_fuzzer ${ARG_SOURCES})
  target_link_libraries(${name}_fuzzer PRIVATE tcpassay_flags ${ARG_USES} ${ARG_LINKS})
  set(arguments "")
  if(TCPASSAY_FUZZER STREQUAL "libfuzzer")
    target_link_options(${name}_fuzzer PRIVATE -fsanitize=fuzzer)
    set(arguments -runs=0)
  elseif(TCPASSAY_FUZZER STREQUAL "engine")
    target_link_libraries(${name}_fuzzer PRIVATE ${TCPASSAY_ENGINE})
    set_target_properties(${name}_fuzzer PROPERTIES LINKER_LANGUAGE CXX)
    set(arguments -runs=0)
  else()
    target_sources(${name}_fuzzer PRIVATE ${PROJECT_SOURCE_DIR}/fuzz/replay_main.c)
    if(TCPASSAY_FUZZER STREQUAL "afl") # AFL++'s macros convert
      set_source_files_properties(${PROJECT_SOURCE_DIR}/fuzz/replay_main.c PROPERTIES COMPILE_OPTIONS -Wno-conversion)
    endif()
  endif()
  if(ARG_MUTATOR AND TCPASSAY_FUZZER MATCHES "libfuzzer|engine")
    target_sources(${name}_fuzzer PRIVATE ${PROJECT_SOURCE_DIR}/fuzz/mutator_libfuzzer.c)
    target_link_libraries(${name}_fuzzer PRIVATE tcpassay_fuzzing)
  endif()
  if(IS_DIRECTORY ${PROJECT_SOURCE_DIR}/fuzz/corpus/${name})
    add_test(NAME fuzz_corpus_${name} COMMAND ${name}_fuzzer ${arguments} ${PROJECT_SOURCE_DIR}/fuzz/corpus/${name})
  endif()
endfunction()
