/* Puts the page together at build time: its frame, style sheets and modules, as C strings for html.c.
 *
 * embed OUT.inc FRAME.html A.css… A.js…: style sheets are joined, and so are the modules, each in a scope of its own that only what
 * it exports leaves, in an order in which each finds what it imports (reports/html/DATA.md says what that asks of them). In the
 * frame, a line "<!--STYLE-->" or "<!--SCRIPT-->" stands for them, the words STYLE-HASH and SCRIPT-HASH for their digests, which
 * the page's policy names: nothing else runs or styles. A line
 * "<!--TITLE-->", "<!--STATIC-->" or "<!--DATA-->" is where html.c goes on by itself: it ends a string of html_frame.
 */
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_BYTES_MAX = 4 << 20, HASH_TEXT_MAX = 64 };

struct text { char *bytes; size_t len; };

static void die(const char *file, const char *why)
{
    fprintf(stderr, "%s: %s\n", file, why);
    exit(EXIT_FAILURE);
}

static void append(struct text *text, const char *bytes, size_t len)
{
    if (text->len + len >= TEXT_BYTES_MAX)
        die("embed", "the page is too large: raise TEXT_BYTES_MAX");
    memcpy(text->bytes + text->len, bytes, len);
    text->len += len;
    text->bytes[text->len] = '\0';
}

static struct text text_new(void)
{
    struct text text = { malloc(TEXT_BYTES_MAX), 0 };
    if (!text.bytes)
        die("embed", "out of memory");
    text.bytes[0] = '\0';
    return text;
}

static bool starts_with(const char *line, const char *word)
{
    return strncmp(line, word, strlen(word)) == 0;
}

/* Calls for each line, its newline included. */
static void each_line(const char *file, void (*take)(const char *file, char *line, void *context), void *context)
{
    char *line = NULL;
    size_t capacity = 0;
    FILE *in = fopen(file, "rb");
    if (!in)
        die(file, "cannot be read");
    while (getline(&line, &capacity, in) > 0)
        take(file, line, context);
    if (ferror(in))
        die(file, "cannot be read in full");
    free(line);
    fclose(in);
}

static void take_style(const char *file, char *line, void *context)
{
    if (strstr(line, "</style") || strstr(line, "@import") || strstr(line, "url("))
        die(file, "a style sheet of the page neither ends its element nor loads anything");
    append(context, line, strlen(line));
}

struct module { struct text *script, exports; }; /* exports: "a, b, " */

/* The name in "export function a(", "export async function a(", "export const a =" or "export class a {". */
static void note_export(const char *file, const char *line, struct module *module)
{
    static const char *const words[] = { "export ", "async ", "function ", "const ", "class " };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        line += starts_with(line, words[i]) ? strlen(words[i]) : 0;
    const size_t len = strspn(line, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_$");
    if (!len)
        die(file, "modules export functions and constants where they define them");
    append(&module->exports, line, len);
    append(&module->exports, ", ", 2);
}

static void take_line(const char *file, char *line, void *context)
{
    struct module *module = context;
    if (strstr(line, "</script") || strstr(line, "<!--"))
        die(file, "a module of the page must not end its element");
    if (starts_with(line, "import "))
        return;
    if (starts_with(line, "export ")) {
        note_export(file, line, module);
        line += strlen("export ");
    }
    append(module->script, line, strlen(line));
}

static void append_text(struct text *text, const char *more)
{
    append(text, more, strlen(more));
}

/* "const { a, b, } = (() => { … return { a, b, }; })();": what is between is all that the others see of it. */
static void take_module(const char *file, struct text *script)
{
    struct text body = text_new();
    struct module module = { &body, text_new() };
    each_line(file, take_line, &module);
    append_text(script, "const { ");
    append_text(script, module.exports.bytes);
    append_text(script, "} = (() => {\n");
    append_text(script, body.bytes);
    append_text(script, "return { ");
    append_text(script, module.exports.bytes);
    append_text(script, "};\n})();\n");
    free(body.bytes);
    free(module.exports.bytes);
}

static void hash_text(const struct text *text, char out[static HASH_TEXT_MAX])
{
    unsigned char digest[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(digest, (const unsigned char *)text->bytes, text->len);
    sodium_bin2base64(out, HASH_TEXT_MAX, digest, sizeof digest, sodium_base64_VARIANT_ORIGINAL);
}

static void print_literal(FILE *out, const char *bytes, size_t len)
{
    fputs("    \"", out);
    for (size_t i = 0; i < len; i++) {
        const unsigned char c = (unsigned char)bytes[i];
        if (c == '\n')
            fputs(i + 1 < len ? "\\n\"\n    \"" : "\\n", out);
        else if (c < 0x20 || c >= 0x7f || c == '"' || c == '\\' || c == '?')
            fprintf(out, "\\%03o", c);
        else
            fputc(c, out);
    }
    fputs("\"", out);
}

struct page {
    FILE *out;
    struct text styles, script, piece;
    char style_hash[HASH_TEXT_MAX], script_hash[HASH_TEXT_MAX];
};

static void end_piece(struct page *page)
{
    print_literal(page->out, page->piece.bytes, page->piece.len);
    fputs(",\n", page->out);
    page->piece.len = 0;
}

/* Appends a line of the frame with the digests in it. */
static void append_line(struct page *page, const char *line)
{
    static const char style[] = "STYLE-HASH", script[] = "SCRIPT-HASH";
    while (*line) {
        const bool is_style = starts_with(line, style), is_script = starts_with(line, script);
        const char *hash = is_style ? page->style_hash : page->script_hash;
        if (is_style || is_script)
            append(&page->piece, hash, strlen(hash));
        else
            append(&page->piece, line, 1);
        line += is_style ? sizeof style - 1 : is_script ? sizeof script - 1 : 1;
    }
}

static void take_frame(const char *file, char *line, void *context)
{
    struct page *page = context;
    (void)file;
    if (starts_with(line, "<!--STYLE-->"))
        append(&page->piece, page->styles.bytes + 1, page->styles.len - 1); /* the frame's own line has ended before it */
    else if (starts_with(line, "<!--SCRIPT-->"))
        append(&page->piece, page->script.bytes + 1, page->script.len - 1);
    else if (starts_with(line, "<!--TITLE-->") || starts_with(line, "<!--STATIC-->") || starts_with(line, "<!--DATA-->"))
        end_piece(page);
    else
        append_line(page, line);
}

static bool ends_with(const char *text, const char *end)
{
    const size_t len = strlen(text), end_len = strlen(end);
    return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

int main(int argc, char **argv)
{
    if (argc < 4 || sodium_init() < 0) {
        fputs("usage: embed OUT.inc FRAME.html FILE.css... FILE.js...\n", stderr);
        return EXIT_FAILURE;
    }
    struct page page = { fopen(argv[1], "wb"), text_new(), text_new(), text_new(), "", "" };
    if (!page.out)
        die(argv[1], "cannot be written");
    append(&page.styles, "\n", 1); /* what stands between the tag and the first line is digested, too */
    append(&page.script, "\n", 1);
    for (int i = 3; i < argc; i++) {
        if (ends_with(argv[i], ".css"))
            each_line(argv[i], take_style, &page.styles);
        else
            take_module(argv[i], &page.script);
    }
    hash_text(&page.styles, page.style_hash);
    hash_text(&page.script, page.script_hash);
    fputs("/* Made by reports/html/embed.c; not to be edited. */\nconst char html_css[] =\n", page.out);
    print_literal(page.out, page.styles.bytes, page.styles.len);
    fputs(";\nstatic const char *const html_frame[] = {\n", page.out);
    each_line(argv[2], take_frame, &page);
    end_piece(&page);
    fputs("};\n", page.out);
    const bool written = !ferror(page.out);
    free(page.styles.bytes);
    free(page.script.bytes);
    free(page.piece.bytes);
    if (fclose(page.out) != 0 || !written)
        die(argv[1], "cannot be written in full");
    return EXIT_SUCCESS;
}
