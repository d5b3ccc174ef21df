# What makes a fault in the shipped code harder to exploit, for homecall-flags in release builds: to be included by the root
# CMakeLists.txt. `hardening-check` finds each of these in what is built (tests/deploy/test_package.sh).

include(CheckCCompilerFlag)
include(CheckCSourceCompiles)

# Level 3 also knows the sizes that are computed at run time. A C library that can't do it warns.
set(CMAKE_REQUIRED_FLAGS "-O2 -Werror -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3")
check_c_source_compiles("#include <string.h>\nint main(void) { return 0; }" HOMECALL_FORTIFIES_3)
unset(CMAKE_REQUIRED_FLAGS)
if(HOMECALL_FORTIFIES_3)
    set(fortify_level 3)
else()
    set(fortify_level 2)
endif()

# No stack grows past its guard page at once; and on x86, a function returns only to where it was called (the shadow stack
# of CET). The other half of CET, which checks indirect jumps, is left out: Linux has it for no program, and its marks are
# 1.2 % of the instructions of the hot path (bench/hot_path.sh).
set(hardening -fstack-protector-strong)
foreach(flag IN ITEMS -fstack-clash-protection -fcf-protection=return)
    string(MAKE_C_IDENTIFIER "HOMECALL_HAS${flag}" has_flag)
    set(CMAKE_REQUIRED_FLAGS -Werror) # clang only warns of an option that this processor has no use for
    check_c_compiler_flag(${flag} ${has_flag})
    unset(CMAKE_REQUIRED_FLAGS)
    if(${has_flag})
        list(APPEND hardening ${flag})
    endif()
endforeach()

# Position-independent programs, whatever this compiler does by itself. -fPIE and not CMake's -fPIC, which is slower.
set(is_shared $<STREQUAL:$<TARGET_PROPERTY:TYPE>,SHARED_LIBRARY>)
target_compile_options(homecall-flags INTERFACE
    "$<$<CONFIG:Release>:${hardening};-U_FORTIFY_SOURCE;-D_FORTIFY_SOURCE=${fortify_level}>"
    $<$<AND:$<CONFIG:Release>,$<NOT:${is_shared}>>:-fPIE>)
# All addresses are bound at the start, and read-only from then on.
target_link_options(homecall-flags INTERFACE
    "$<$<CONFIG:Release>:LINKER:-z,relro,-z,now>"
    $<$<AND:$<CONFIG:Release>,$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>>:-pie>)
