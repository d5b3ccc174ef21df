# When what is built here was written: the time of its commit, from git, or in a tarball (git archive) from the file "commit_time"
# beside this one, which git fills in. To be included by the root CMakeLists.txt. The same source gives the same answer anywhere.
#
#   HOMECALL_EPOCH    seconds since 1970; empty where nobody knows
#   HOMECALL_DATE     2026-11-29
#   HOMECALL_PACKAGE_VERSION    0.1.0+20261129.165816, which grows with each commit: so an upgrade upgrades

set(HOMECALL_EPOCH "")
file(STRINGS ${CMAKE_CURRENT_LIST_DIR}/commit_time HOMECALL_EPOCH LIMIT_COUNT 1)
if(NOT HOMECALL_EPOCH MATCHES "^[0-9]+$")
    set(HOMECALL_EPOCH "")
    execute_process(COMMAND git -C ${PROJECT_SOURCE_DIR} log -1 --format=%ct
        OUTPUT_VARIABLE HOMECALL_EPOCH OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()

set(HOMECALL_PACKAGE_VERSION ${PROJECT_VERSION})
set(HOMECALL_DATE "")
set(HOMECALL_CHANGELOG_DATE "Thu, 01 Jan 1970 00:00:00 +0000")
if(HOMECALL_EPOCH STREQUAL "")
    message(STATUS "neither git nor deploy/commit_time tells the time of the commit: the package has the version ${PROJECT_VERSION}")
else()
    set(epoch_before "$ENV{SOURCE_DATE_EPOCH}")
    set(ENV{SOURCE_DATE_EPOCH} ${HOMECALL_EPOCH}) # what string(TIMESTAMP) takes for now
    string(TIMESTAMP HOMECALL_DATE "%Y-%m-%d" UTC)
    string(TIMESTAMP stamp "%Y%m%d.%H%M%S" UTC)
    string(TIMESTAMP HOMECALL_CHANGELOG_DATE "%a, %d %b %Y %H:%M:%S +0000" UTC)
    set(HOMECALL_PACKAGE_VERSION "${PROJECT_VERSION}+${stamp}")
    if(epoch_before STREQUAL "")
        unset(ENV{SOURCE_DATE_EPOCH})
    else()
        set(ENV{SOURCE_DATE_EPOCH} "${epoch_before}")
    endif()
endif()
