/* Layout for terminals (see page.h). */
#include "engine/cli/page.h"

#include "engine/cli/terminal.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { TEXT_MAX = 1024 };

static int width_of(FILE *out)
{
    const char *columns = getenv("COLUMNS");
    struct winsize size;
    int width = columns ? atoi(columns) : 0; /* NOLINT(cert-err34-c): what is no number is no width */
    if (width <= 0 && ioctl(fileno(out), TIOCGWINSZ, &size) == 0)
        width = size.ws_col;
    if (width <= 0)
        width = PAGE_WIDTH_DEFAULT;
    return width < PAGE_WIDTH_MIN ? PAGE_WIDTH_MIN : width > PAGE_WIDTH_MAX ? PAGE_WIDTH_MAX : width;
}

static bool locale_is_utf8(void)
{
    static const char *const variables[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        const char *value = getenv(variables[i]);
        if (value && *value)
            return strcasestr(value, "utf-8") || strcasestr(value, "utf8");
    }
    return false;
}

struct page page_for(FILE *out)
{
    return (struct page){.out = out, .width = width_of(out), .color = terminal_color(COLOR_AUTO, out), .utf8 = locale_is_utf8()};
}

const char *page_style(const struct page *page, enum page_style style)
{
    static const char *const codes[] = {
        [PAGE_PLAIN] = "", [PAGE_BOLD] = "\033[1m", [PAGE_FAINT] = "\033[2m", [PAGE_GOOD] = "\033[32m", [PAGE_BAD] = "\033[31m",
        [PAGE_DOUBTFUL] = "\033[33m",
    };
    return page->color ? codes[style] : "";
}

const char *page_end(const struct page *page)
{
    return page->color ? "\033[0m" : "";
}

int page_columns(const char *text)
{
    int columns = 0;
    for (; *text; text++)
        columns += ((unsigned char)*text & 0xc0) != 0x80;
    return columns;
}

void page_heading(const struct page *page, const char *title)
{
    fprintf(page->out, "\n%s%s%s\n", page_style(page, PAGE_BOLD), title, page_end(page));
}

/* Words from column `at` on; lines that follow begin at indent. */
static void wrap(const struct page *page, int at, int indent, char *text)
{
    bool first = true;
    for (char *rest, *word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        const int columns = page_columns(word);
        if (!first && at + 1 + columns > page->width) {
            fprintf(page->out, "\n%*s", indent, "");
            at = indent;
            first = true;
        }
        fprintf(page->out, "%s%s", first ? "" : " ", word);
        at += columns + (first ? 0 : 1);
        first = false;
    }
}

void page_text(const struct page *page, int indent, enum page_style style, const char *format, ...)
{
    char text[TEXT_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    fprintf(page->out, "%*s%s", indent, "", page_style(page, style));
    wrap(page, indent, indent, text);
    fprintf(page->out, "%s\n", style == PAGE_PLAIN ? "" : page_end(page));
}

void page_item(const struct page *page, const char *name, const char *format, ...)
{
    char text[TEXT_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    const int pad = PAGE_ITEM_COLUMN - 2 - page_columns(name);
    fprintf(page->out, "  %s%*s", name, pad > 1 ? pad : 1, "");
    wrap(page, pad > 1 ? PAGE_ITEM_COLUMN : 3 + page_columns(name), PAGE_ITEM_COLUMN, text);
    fputc('\n', page->out);
}
