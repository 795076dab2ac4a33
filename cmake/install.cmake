include(GNUInstallDirs)
foreach(program splot-node splot-server splot-web splotctl)
  if(TARGET ${program})
    install(TARGETS ${program} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  endif()
endforeach()
file(GLOB MAN_PAGES ${PROJECT_SOURCE_DIR}/docs/man/*.1 ${PROJECT_SOURCE_DIR}/docs/man/*.8)
foreach(page ${MAN_PAGES})
  cmake_path(GET page EXTENSION LAST_ONLY section)
  string(SUBSTRING ${section} 1 -1 section)
  install(FILES ${page} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
endforeach()
install(DIRECTORY ${PROJECT_SOURCE_DIR}/docs/examples/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)
# Units, where systemd looks below any prefix: /usr/lib/systemd/system, /usr/local/lib/systemd/system.
set(SPLOT_UNIT_DIR lib/systemd/system CACHE STRING "Where systemd's units are installed")
configure_file(${PROJECT_SOURCE_DIR}/deploy/splot-verify@.service.in
  ${PROJECT_BINARY_DIR}/deploy/splot-verify@.service @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/deploy/splot-verify@.service
  ${PROJECT_SOURCE_DIR}/deploy/splot-verify@.timer DESTINATION ${SPLOT_UNIT_DIR})
