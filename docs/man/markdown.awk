# Makes a manual page of one of our Markdown documents, so that both say the same: awk -f markdown.awk -v title=… -v section=… -v name=… FILE
#
# Knows what docs/scenario-language.md uses: headings, paragraphs, bullets, indented code, tables, **bold** and `code`.

function escape(text) {
    gsub(/\\/, "\\e", text)
    gsub(/-/, "\\-", text)
    gsub(/~/, "\\(ti", text)
    gsub(/\^/, "\\(ha", text)
    gsub(/`/, "\\(ga", text)
    gsub(/'/, "\\(aq", text)
    gsub(/"/, "\\(dq", text)
    return text
}

# Bold and code both stand out in bold; links keep their text. What is in code is taken as it is.
function inline(text,    out, part, parts, count, i) {
    gsub(/\]\([^)]*\)/, "", text)
    count = split(text, parts, "`")
    for (i = 1; i <= count; i++) {
        part = parts[i]
        if (i % 2 == 0) {
            part = escape(part)
            gsub(/\001/, "|\\:", part) # a line may end behind it
            out = out "\\fB" part "\\fP"
            continue
        }
        part = escape(part)
        gsub(/\[/, "", part)
        while (match(part, /\*\*[^*]+\*\*/))
            part = substr(part, 1, RSTART - 1) "\\fB" substr(part, RSTART + 2, RLENGTH - 4) "\\fP" substr(part, RSTART + RLENGTH)
        if (part ~ /\*\*/) { # bold around code: opens in one part and closes in another
            while (match(part, /\*\*/)) {
                bold = !bold
                part = substr(part, 1, RSTART - 1) (bold ? "\\fB" : "\\fP") substr(part, RSTART + 2)
            }
        }
        out = out part
    }
    sub(/^\./, "\\\\\\&.", out)
    return out
}

function plain(text) {
    sub(/^ +/, "", text)
    sub(/ +$/, "", text)
    return inline(text)
}

function end_block() {
    if (block == "code") print ".EE\n.RE"
    if (block == "table") print_table()
    block = ""
}

function print_table(    r, c, width) {
    print ".PP\n.TS\nallbox tab(\001);"
    for (c = 1; c <= columns; c++) {
        width = columns == 2 ? (c == 1 ? 16 : 46) : columns == 3 ? (c == 1 ? 13 : 21) : (c % 2 ? 11 : 16)
        printf "lw(%dn)%s", width, c < columns ? " " : ".\n"
    }
    for (r = 1; r <= rows; r++) {
        for (c = 1; c <= columns; c++)
            printf("%sT{\n.nh\n.ad l\n%s\nT}", (c > 1 ? "\001" : ""), cell[r, c])
        print ""
    }
    print ".TE\n.sp"
}

function add_row(line,    parts, count, c) {
    gsub(/\\\|/, "\001", line)
    sub(/^\|/, "", line)
    sub(/\|[ ]*$/, "", line)
    count = split(line, parts, "|")
    if (!columns) columns = count
    rows++
    for (c = 1; c <= columns; c++) {
        cell[rows, c] = plain(parts[c])
    }
}

BEGIN { # the first line tells man to run tbl
    printf "'\\\" t\n.\\\" Made from docs/ by docs/man/markdown.awk; not to be edited.\n.TH %s %s \"\" \"tcpassay\" \"tcpassay manual\"\n", toupper(title), section
    printf ".nh\n.ad l\n.SH NAME\n%s \\- %s\n.SH DESCRIPTION\n", title, name
}
/^# / { next }
/^## / { end_block(); print ".SH " toupper(plain(substr($0, 4))); next }
/^\|[-:| ]+$/ { next }
/^\|/ { if (block != "table") { end_block(); block = "table"; rows = columns = 0 } add_row($0); next }
/^    / && block != "bullet" { if (block != "code") { end_block(); block = "code"; print ".PP\n.RS 4\n.EX" } text = escape(substr($0, 5)); sub(/^\./, "\\\\\\&.", text); print text; next }
/^$/ { if (block == "code") { print ""; next } end_block(); paragraph = 1; next }
/^- / { end_block(); block = "bullet"; print ".IP \\(bu 2"; print plain(substr($0, 3)); next }
{
    if (block == "code" || block == "table") end_block()
    if (block == "" && paragraph) { print ".PP"; paragraph = 0; block = "text" }
    print plain($0)
}
END { end_block(); print ".SH SEE ALSO\n.BR tcpassay (1),\n.BR tcpassay\\-run (1),\n.BR tcpassay\\-replay (1)" }
