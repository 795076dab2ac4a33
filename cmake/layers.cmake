# Layers as targets.  Each layer's headers are reached through an include root of its own
# (a folder of links in the build tree), so that a target can only include the headers of
# the layers it names: a leak between layers does not compile.

find_package(Threads REQUIRED)

add_library(splot_options INTERFACE)
target_compile_options(splot_options INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wstrict-prototypes
  -Wmissing-prototypes -Wold-style-definition -Wvla -Wcast-qual -Wformat=2 -Wundef
  -Wnull-dereference -Wdouble-promotion -Wimplicit-fallthrough -Wswitch-enum
  -fstack-protector-strong -fno-common)
target_compile_definitions(splot_options INTERFACE _GNU_SOURCE)
target_link_libraries(splot_options INTERFACE Threads::Threads)
if(SPLOT_WERROR)
  target_compile_options(splot_options INTERFACE -Werror)
endif()
if(SPLOT_SANITIZE)
  target_compile_options(splot_options INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(splot_options INTERFACE -fsanitize=address,undefined)
elseif(SPLOT_FUZZ)
  target_compile_options(splot_options INTERFACE -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(splot_options INTERFACE -fsanitize=address,undefined)
elseif(CMAKE_BUILD_TYPE STREQUAL "Release")
  target_compile_options(splot_options INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-clash-protection -fcf-protection=full)
  target_link_options(splot_options INTERFACE -Wl,-z,relro,-z,now,-z,noexecstack)
endif()

set(SPLOT_INCLUDE ${CMAKE_BINARY_DIR}/include)

function(splot_use target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "USES;PRIVATELY")
  target_link_libraries(${target} PRIVATE splot_options ${arg_PRIVATELY})
  foreach(layer ${arg_USES})
    target_link_libraries(${target} PUBLIC splot_${layer})
  endforeach()
endfunction()

# splot_layer(NAME [FOLDER folder] USES layer… PRIVATELY library…): every .c of folder/NAME, which is
# common/NAME unless said otherwise
function(splot_layer name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "FOLDER" "USES;PRIVATELY")
  if(NOT arg_FOLDER)
    set(arg_FOLDER common)
  endif()
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${arg_FOLDER}/${name}/*.c)
  if(NOT sources) # until the layer's first file lands
    file(WRITE ${CMAKE_BINARY_DIR}/empty.c "typedef int nothing;\n")
    set(sources ${CMAKE_BINARY_DIR}/empty.c)
  endif()
  add_library(splot_${name} STATIC ${sources})
  set_target_properties(splot_${name} PROPERTIES LINKER_LANGUAGE C)
  file(MAKE_DIRECTORY ${SPLOT_INCLUDE}/${name})
  file(CREATE_LINK ${PROJECT_SOURCE_DIR}/${arg_FOLDER}/${name} ${SPLOT_INCLUDE}/${name}/${name} SYMBOLIC)
  target_include_directories(splot_${name} PUBLIC ${SPLOT_INCLUDE}/${name})
  splot_use(splot_${name} USES ${arg_USES} PRIVATELY ${arg_PRIVATELY})
endfunction()

# splot_header(NAME path.h USES layer…): one header of a layer as an interface of its own
function(splot_header name header)
  cmake_parse_arguments(PARSE_ARGV 2 arg "" "" "USES")
  add_library(splot_${name} INTERFACE)
  cmake_path(GET header PARENT_PATH folder)
  file(MAKE_DIRECTORY ${SPLOT_INCLUDE}/${name}/${folder})
  file(CREATE_LINK ${PROJECT_SOURCE_DIR}/common/${header} ${SPLOT_INCLUDE}/${name}/${header} SYMBOLIC)
  target_include_directories(splot_${name} INTERFACE ${SPLOT_INCLUDE}/${name})
  foreach(layer ${arg_USES})
    target_link_libraries(splot_${name} INTERFACE splot_${layer})
  endforeach()
endfunction()

# splot_program(NAME folder FOLDERS below… USES layer… PRIVATELY library…): every .c of the folder
# and of those named below it
function(splot_program name folder)
  cmake_parse_arguments(PARSE_ARGV 2 arg "" "" "FOLDERS;USES;PRIVATELY")
  list(TRANSFORM arg_FOLDERS REPLACE "(.+)" "${PROJECT_SOURCE_DIR}/${folder}/\\1/*.c")
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*.c ${arg_FOLDERS})
  if(NOT sources)
    return()
  endif()
  add_executable(${name} ${sources})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  target_link_options(${name} PRIVATE -pie)
  target_compile_definitions(${name} PRIVATE SPLOT_VERSION="${PROJECT_VERSION}")
  splot_use(${name} USES ${arg_USES} PRIVATELY ${arg_PRIVATELY})
endfunction()

# splot_test(NAME source… USES layer… PRIVATELY library…): a cmocka program run by CTest
function(splot_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "USES;PRIVATELY")
  add_executable(${name} ${arg_UNPARSED_ARGUMENTS})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  splot_use(${name} USES ${arg_USES} PRIVATELY ${arg_PRIVATELY} PkgConfig::CMOCKA)
  target_compile_definitions(${name} PRIVATE
    SPLOT_SOURCE="${PROJECT_SOURCE_DIR}" SPLOT_VECTORS_DEFAULT="${PROJECT_SOURCE_DIR}/../shared/vectors")
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS unit TIMEOUT 120)
endfunction()
