# The page, bundled, hashed and compressed by page/build.mjs into one C file.  Its npm packages are
# installed once for all presets, below SPLOT_PAGE_DIR; nothing is written into the sources.
set(SPLOT_PAGE_DIR ${PROJECT_SOURCE_DIR}/build/page CACHE PATH "Where the page's npm packages are installed")

find_program(NODE_PROGRAM NAMES node nodejs)
find_program(NPM_PROGRAM npm)
find_program(FLOCK_PROGRAM flock REQUIRED)
if(NOT NODE_PROGRAM OR NOT NPM_PROGRAM)
  message(FATAL_ERROR "The page of splot-web is built with Node.js (18 or newer) and npm, and they were not "
    "found: install Debian's packages nodejs and npm, or build without the page and its program: -DSPLOT_WEB=OFF")
endif()
execute_process(COMMAND ${NODE_PROGRAM} -p "process.versions.node.split('.')[0]"
  OUTPUT_VARIABLE NODE_MAJOR OUTPUT_STRIP_TRAILING_WHITESPACE)
if(NODE_MAJOR LESS 18)
  message(FATAL_ERROR "The page of splot-web needs Node.js 18 or newer; ${NODE_PROGRAM} is ${NODE_MAJOR}")
endif()

set(SPLOT_PAGE_ASSETS ${CMAKE_BINARY_DIR}/page/assets.c)
file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/page ${SPLOT_PAGE_DIR})
file(GLOB_RECURSE SPLOT_PAGE_SOURCES CONFIGURE_DEPENDS
  ${CMAKE_CURRENT_LIST_DIR}/page/src/*.js ${CMAKE_CURRENT_LIST_DIR}/page/src/*.css)
foreach(name build.mjs poland.mjs index.html icon.svg package.json package-lock.json)
  list(APPEND SPLOT_PAGE_SOURCES ${CMAKE_CURRENT_LIST_DIR}/page/${name})
endforeach()
add_custom_command(
  OUTPUT ${SPLOT_PAGE_ASSETS}
  COMMAND ${FLOCK_PROGRAM} ${SPLOT_PAGE_DIR}/lock
    ${NODE_PROGRAM} ${CMAKE_CURRENT_LIST_DIR}/page/build.mjs
    --modules ${SPLOT_PAGE_DIR} --npm ${NPM_PROGRAM} --out ${SPLOT_PAGE_ASSETS}
  DEPENDS ${SPLOT_PAGE_SOURCES}
  COMMENT "Bundling the page"
  VERBATIM)
