/* Text laid out for people: a terminal's width, its colours, and whether it shows more than ASCII. */
#ifndef TCPASSAY_CLI_PAGE_H
#define TCPASSAY_CLI_PAGE_H

#include <stdbool.h>
#include <stdio.h>

enum { PAGE_WIDTH_MIN = 40, PAGE_WIDTH_MAX = 100, PAGE_WIDTH_DEFAULT = 80 };

enum page_style { PAGE_PLAIN, PAGE_BOLD, PAGE_FAINT, PAGE_GOOD, PAGE_BAD, PAGE_DOUBTFUL };

struct page {
    FILE *out;
    int width;                   /* columns: the terminal's, $COLUMNS where that is set, else PAGE_WIDTH_DEFAULT */
    bool color;                  /* on a terminal, unless NO_COLOR is set */
    bool utf8;                   /* by the locale's environment */
};

struct page page_for(FILE *out);

/* What switches a style on; page_end() switches it off. "" without colours. */
const char *page_style(const struct page *page, enum page_style style);
const char *page_end(const struct page *page);

/* An empty line, and a heading. */
void page_heading(const struct page *page, const char *title);
/* A paragraph, wrapped at blanks; all lines begin indent columns in. */
void page_text(const struct page *page, int indent, enum page_style style, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* A name, and beside it a paragraph. */
void page_item(const struct page *page, const char *name, const char *format, ...) __attribute__((format(printf, 3, 4)));
enum { PAGE_ITEM_COLUMN = 18 };

/* Columns that the text takes: UTF-8, each character one wide. */
int page_columns(const char *text);

#endif
