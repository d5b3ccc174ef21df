# Installing the server as a service of the machine, and packing all that into a .deb: to be included by the root
# CMakeLists.txt once every other install() is written.
#
#   cmake --install build/release          # below /usr/local, or --prefix
#   cpack --config build/release/CPackConfig.cmake -B DIRECTORY     # with umask 022: folders get what it leaves
#
# Units and configuration lie where systemd and Debian look for them: PREFIX/lib, and /etc for the prefix /usr
# (elsewhere PREFIX/etc, as GNUInstallDirs has it). The prefix may be chosen as late as that, so the unit, which has
# it inside, is filled in when it is installed. Rules of the component "development" stay out of the .deb.

install(CODE "
    set(deploy_dir \"${CMAKE_CURRENT_LIST_DIR}\")
    set(work_dir \"${CMAKE_CURRENT_BINARY_DIR}/deploy\")
    set(bindir \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}\")
    set(docdir \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_DOCDIR}\")
")
install(CODE [[
    if(CMAKE_INSTALL_PREFIX STREQUAL "/usr")
        set(sysconfdir /etc)
    else()
        set(sysconfdir "${CMAKE_INSTALL_PREFIX}/etc")
    endif()
    set(libdir "${CMAKE_INSTALL_PREFIX}/lib") # units and users are looked for here, whatever the architecture

    configure_file("${deploy_dir}/systemd/homecall-signal.service.in" "${work_dir}/homecall-signal.service" @ONLY)
    file(INSTALL "${work_dir}/homecall-signal.service" "${deploy_dir}/systemd/homecall-signal.socket"
        DESTINATION "${libdir}/systemd/system")
    file(INSTALL "${deploy_dir}/systemd/homecall-signal.sysusers"
        DESTINATION "${libdir}/sysusers.d" RENAME homecall-signal.conf)
    file(INSTALL "${deploy_dir}/logrotate/homecall-signal" DESTINATION "${sysconfdir}/logrotate.d")

    # What the operator has written stays.
    if(NOT EXISTS "$ENV{DESTDIR}${sysconfdir}/homecall-signal/env")
        file(INSTALL "${deploy_dir}/../.env.example"
            DESTINATION "${sysconfdir}/homecall-signal" RENAME env
            PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ) # it may come to hold secrets
    endif()
]])

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME homecall-signal)
set(CPACK_PACKAGE_VERSION "${HOMECALL_PACKAGE_VERSION}")
set(HOMECALL_CONTACT "HomeCall Signal <homecall-signal@localhost>" CACHE STRING "Who answers for the package: NAME <ADDRESS>")
set(CPACK_PACKAGE_CONTACT "${HOMECALL_CONTACT}")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "WebSocket signaling server for calls between browsers")
set(CPACK_PACKAGE_DESCRIPTION
    "Two browsers that share a codeword find each other here, exchange offers,
answers and candidates, and then talk to each other directly. The server is
installed as a service that listens on the loopback, for a web server with
TLS in front of it.")
set(CPACK_INSTALL_CMAKE_PROJECTS "${PROJECT_BINARY_DIR};${PROJECT_NAME};Unspecified;/")
set(CPACK_SET_DESTDIR ON) # for what lies outside the prefix
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)

# What Debian's policy wants beside the files of the program.
configure_file(${CMAKE_CURRENT_LIST_DIR}/debian/changelog.in ${PROJECT_BINARY_DIR}/deploy/changelog @ONLY)
execute_process(COMMAND gzip -9nkf ${PROJECT_BINARY_DIR}/deploy/changelog COMMAND_ERROR_IS_FATAL ANY)
install(FILES ${PROJECT_BINARY_DIR}/deploy/changelog.gz ${CMAKE_CURRENT_LIST_DIR}/debian/copyright
    DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES ${CMAKE_CURRENT_LIST_DIR}/debian/lintian-overrides
    DESTINATION ${CMAKE_INSTALL_DATADIR}/lintian/overrides RENAME homecall-signal)

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "systemd | systemd-standalone-sysusers | systemd-sysusers")
# Loaded for international host names in options, and only then.
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "libidn2-0")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "logrotate, gnuplot-nox")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
    "${CMAKE_CURRENT_LIST_DIR}/debian/conffiles"
    "${CMAKE_CURRENT_LIST_DIR}/debian/postinst"
    "${CMAKE_CURRENT_LIST_DIR}/debian/prerm"
    "${CMAKE_CURRENT_LIST_DIR}/debian/postrm")
include(CPack)
