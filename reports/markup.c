/* The small pages' frame, and text within markup (see markup.h). */
#include "reports/markup.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "reports/text.h"

void markup_text(const char *text, FILE *out)
{
    char shown[MARKUP_TEXT_BYTES_MAX];
    uint32_t code = 0;
    const char *p = text_show(text ? text : "", shown, sizeof shown);
    for (size_t len; (len = text_decode(p, &code)) > 0; p += len) {
        if (code < 0x80 && strchr("<>&\"'", (int)code))
            fprintf(out, "&#%" PRIu32 ";", code);
        else if (code == 0xfffe || code == 0xffff)
            fputs("&#65533;", out);
        else
            fwrite(p, 1, len, out);
    }
}

void markup_fragment(const char *id, FILE *out)
{
    for (const unsigned char *p = (const unsigned char *)id; *p; p++) {
        const bool plain =
            (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') || strchr("-._~/:=,@!", *p);
        fprintf(out, plain ? "%c" : "%%%02X", *p);
    }
}

static const char css[] =
    ":root{color-scheme:light dark;--ink:#1b1f24;--faint:#59636e;--paper:#fff;--line:#d0d7de;--pass:#1a7f37;--fail:#b3261e;--known:#7a5b00;"
    "--other:#59636e;--link:#0757ba}\n"
    "@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--faint:#9da7b3;--paper:#0d1117;--line:#3d444d;--pass:#4fbf67;--fail:#ff8a80;"
    "--known:#e0b341;--other:#9da7b3;--link:#6cb2ff}}\n"
    "body{margin:0 auto;max-width:80rem;padding:1rem;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}\n"
    "h1{font-size:1.5rem}h2{font-size:1.2rem;margin-top:2rem}a{color:var(--link)}code,td:first-child{overflow-wrap:anywhere}\n"
    ".wide{overflow-x:auto}table{border-collapse:collapse;width:100%}th,td{border-bottom:1px solid var(--line);padding:.25rem .6rem;"
    "text-align:left;vertical-align:top}th{position:sticky;top:0;background:var(--paper)}td.number,th.number{text-align:right}\n"
    ".pass,.satisfied,.passed{color:var(--pass)}.fail,.violated,.failed,.error,.errors,.incomplete{color:var(--fail);font-weight:600}"
    ".known,.deviated{color:var(--known)}.other,.untested,.untestable,.absent,.inconclusive,.not_applicable,.faint{color:var(--other)}\n"
    "tr:target{outline:3px solid var(--link)}.filter{display:flex;gap:1rem;flex-wrap:wrap;align-items:center;margin:1rem 0}"
    "input[type=search]{font:inherit;padding:.3rem;min-width:14rem;background:inherit;color:inherit;border:1px solid var(--other)}\n"
    ".alarm{border:2px solid var(--fail);padding:.5rem 1rem}svg{max-width:100%;vertical-align:middle}.when{white-space:nowrap}tr[hidden]{display:none}\n"
    "@media print{.filter{display:none}th{position:static}}\n";

static const char script[] =
    "const box=document.querySelector('input[type=search]'),check=document.querySelector('input[type=checkbox]'),"
    "shown=document.querySelector('output'),rows=[...document.querySelectorAll('tbody tr')];\n"
    "function narrow(){const words=box.value.toLowerCase();let n=0;for(const row of rows){"
    "row.hidden=(check&&check.checked&&!row.classList.contains('differs'))||!row.textContent.toLowerCase().includes(words);n+=!row.hidden}"
    "shown.value=n+' of '+rows.length+' rows'}\n"
    "box.addEventListener('input',narrow);if(check)check.addEventListener('change',narrow);narrow();\n"
    "function reveal(){const row=document.getElementById(location.hash.slice(1));if(row){row.hidden=false;row.scrollIntoView()}}\n"
    "addEventListener('hashchange',reveal);reveal();\n";

void markup_begin(const char *title, FILE *out)
{
    fputs(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
          "img-src 'self'; base-uri 'none'; form-action 'none'\">\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<link rel=\"icon\" href=\"data:,\">\n<title>",
          out);
    markup_text(title, out);
    fprintf(out, "</title>\n<style>\n%s</style>\n</head>\n<body>\n<main>\n<h1>", css);
    markup_text(title, out);
    fputs("</h1>\n", out);
}

void markup_end(FILE *out)
{
    fputs("</main>\n</body>\n</html>\n", out);
}

void markup_filter(const char *check, FILE *out)
{
    fputs("<div class=\"filter\"><label>Search <input type=\"search\"></label>", out);
    if (check) {
        fputs("<label><input type=\"checkbox\" checked> ", out);
        markup_text(check, out);
        fputs("</label>", out);
    }
    fputs("<output></output></div>\n<script>addEventListener('DOMContentLoaded',()=>{\n", out);
    fputs(script, out);
    fputs("});</script>\n", out);
}
