# The page of the HTML report, put together from the files beside this one; included by reports/CMakeLists.txt.
pkg_check_modules(ZLIB REQUIRED IMPORTED_TARGET zlib)
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium)

set(HTML_PAGE page.html page.css draw/draw.css dom.js words.js route.js data.js draw/segment.js draw/scale.js draw/ladder.js draw/states.js draw/grid.js
    draw/timing.js draw/charts.js parts.js summary.js figures.js requirements.js tests.js test.js statement.js main.js)
list(TRANSFORM HTML_PAGE PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/html/)

add_executable(embed_page html/embed.c)
target_link_libraries(embed_page PRIVATE tcpassay_flags PkgConfig::SODIUM)
add_custom_command(
  OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/html_page.inc
  COMMAND embed_page ${CMAKE_CURRENT_BINARY_DIR}/html_page.inc ${HTML_PAGE}
  DEPENDS embed_page ${HTML_PAGE}
  COMMENT "Embedding the page of the HTML report"
  VERBATIM)

set(HTML_SOURCES html/html.c html/pack.c html/payload.c ${CMAKE_CURRENT_BINARY_DIR}/html_page.inc)

add_test(NAME reports_drawings COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/html/draw/test/run.sh)
set_tests_properties(reports_drawings PROPERTIES SKIP_RETURN_CODE 77)

# Its tests: of the file, and in a browser. The latter take chromium, node and npm, and are skipped without; a sanitizer has nothing to see there.
function(html_tests)
  tcpassay_test(reports_html SOURCES html/test/html.c test/sample.c USES reports LINKS PkgConfig::JANSSON PkgConfig::ZLIB)
  if(TCPASSAY_SANITIZE OR TCPASSAY_FUZZ)
    return()
  endif()
  add_executable(html_pages html/test/pages.c test/sample.c)
  target_link_libraries(html_pages PRIVATE tcpassay_reports)
  add_test(NAME reports_html_browser COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/html/test/browser.sh ${CMAKE_CURRENT_BINARY_DIR}/html-test)
  set_tests_properties(reports_html_browser PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 240
    ENVIRONMENT "PAGES=$<TARGET_FILE:html_pages>;TCPASSAY=$<TARGET_FILE:tcpassay>")
endfunction()
