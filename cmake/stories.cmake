# splot_story(NAME SCRIPT LABEL [SERIAL]): a story in Python with the real programs as a CTest entry.
# SERIAL: it looks at times, so nothing runs beside it in a release build.  Under the sanitizers nobody
# looks at times.
find_program(PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH REQUIRED)
function(splot_story name script label)
  cmake_parse_arguments(PARSE_ARGV 3 story "SERIAL" "" "")
  if(SPLOT_SANITIZE)
    set(story_SERIAL FALSE)
  endif()
  cmake_path(ABSOLUTE_PATH script NORMALIZE)
  list(TRANSFORM SPLOT_STORY_FOLDERS PREPEND ${PROJECT_SOURCE_DIR}/tests/ OUTPUT_VARIABLE folders)
  list(JOIN folders ":" folders)
  add_test(NAME ${name} COMMAND ${PYTHON} -B ${script} -v)
  if(name IN_LIST SPLOT_LONG_STORIES)
    set_tests_properties(${name} PROPERTIES COST 100)
  endif()
  set_tests_properties(${name} PROPERTIES LABELS ${label} TIMEOUT 600 RUN_SERIAL ${story_SERIAL}
    ENVIRONMENT "SPLOT_BIN=${CMAKE_BINARY_DIR}/bin;SPLOT_BUILD=${CMAKE_BINARY_DIR};SPLOT_SANITIZED=$<BOOL:${SPLOT_SANITIZE}>;PYTHONPATH=${folders}")
endfunction()
# They begin first, so that none of them is what all wait for at the end.
set(SPLOT_LONG_STORIES e2e_test_operations e2e_test_anew e2e_test_export faults_test_power faults_test_kill
  e2e_test_release e2e_test_web_readers faults_test_corrupt)
set(SPLOT_STORY_FOLDERS nation e2e faults) # what stories share
