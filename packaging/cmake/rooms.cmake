# rooms.cmake - how a room of the tree becomes a target
#
# A room is a folder whose *.c files make one static library. Every room is compiled with the
# same warnings; what it may include is decided by the libraries it links (their include folders)
# and checked, line by line, by tests/lint.

include(CheckCCompilerFlag)
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

add_library(scsad_flags INTERFACE)
target_compile_options(scsad_flags INTERFACE
  -Wall -Wextra -Wshadow -Wvla -Wswitch-enum -Wconversion
  -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith
  -fno-common -fno-strict-aliasing -fstack-protector-strong)
target_compile_definitions(scsad_flags INTERFACE
  _GNU_SOURCE SCSAD_VERSION="${PROJECT_VERSION}")
if(SCSAD_WERROR)
  target_compile_options(scsad_flags INTERFACE -Werror)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Debug" OR SCSAD_SANITIZE)
  # contracts of the framework are checked at run time: ownership of locks, sizes given to
  # kmem_free(), double completion, state moves
  target_compile_definitions(scsad_flags INTERFACE SCSAD_DEBUG=1)
else()
  # nothing that is exported, for drivers in shared objects, is meant to be replaced by them
  target_compile_options(scsad_flags INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
    -fno-semantic-interposition)
endif()
if(SCSAD_SANITIZE)
  target_compile_options(scsad_flags INTERFACE
    -fsanitize=${SCSAD_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(scsad_flags INTERFACE -fsanitize=${SCSAD_SANITIZE})
  if(SCSAD_SANITIZE MATCHES "thread")
    target_compile_definitions(scsad_flags INTERFACE SCSAD_TSAN=1)
    if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
      # gcc cannot model stand-alone fences for the thread sanitizer and says so at each one
      target_compile_options(scsad_flags INTERFACE -Wno-tsan)
    endif()
  endif()
endif()
if(SCSAD_COVERAGE)
  target_compile_options(scsad_flags INTERFACE --coverage -fprofile-update=atomic)
  target_link_options(scsad_flags INTERFACE --coverage)
endif()
if(SCSAD_FUZZ)
  if(NOT CMAKE_C_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "the fuzz targets need clang: configure with --preset fuzz")
  endif()
  target_compile_options(scsad_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

# scsad_room(NAME [INCLUDE folder ...] [LIBS ...] [PRIVATE_LIBS ...]): all *.c of the current folder
# as a static library; INCLUDE folders and LIBS are passed on to whoever links it
function(scsad_room name)
  cmake_parse_arguments(ROOM "" "" "INCLUDE;LIBS;PRIVATE_LIBS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.c)
  if(sources)
    add_library(${name} STATIC ${sources})
    target_link_libraries(${name} PUBLIC ${ROOM_LIBS} PRIVATE scsad_flags ${ROOM_PRIVATE_LIBS})
    target_include_directories(${name} PUBLIC ${ROOM_INCLUDE})
  else()
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE ${ROOM_LIBS})
    target_include_directories(${name} INTERFACE ${ROOM_INCLUDE})
  endif()
endfunction()
