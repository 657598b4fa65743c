/* The grammar of scenarios (bison): packetdrill's, and what docs/scenario-language.md adds. Actions only call the builders.
 *
 * Steps end where tokens.c puts an END, which it decides by lines and brackets; so one wrong step costs its own lines, and the
 * grammar needs no guess at where a number ends and the time of the next step begins. Expressions come in two tiers: `arith` is what
 * may stand bare in a segment, where `<` and `>` have other work to do; comparisons there need parentheses.
 */
%require "3.8"
%language "C"
%define api.pure full
%define api.prefix {scn_bison_}
%define api.location.type {struct scn_span}
%define parse.error custom
%define lr.type canonical-lr /* so that the tokens that a message says were expected are exactly those; other tables have merged states */
%define lr.default-reduction consistent
%locations
%defines
%expect 0
%param { struct scn_parser *parser }

%code requires {
#include "engine/scenario/parse.h"
}

%union {
    struct scn_piece piece;
    struct scn_time time;
    int64_t ns;
    bool inbound;
    unsigned mask;
    enum scn_relation relation;
    struct scn_expr *expr;
    struct scn_match match;
    struct scn_endpoint_ref endpoint;
    struct scn_packet *packet;
    struct scn_option *option;
    struct scn_override *override;
    struct scn_list list;
    struct scn_block block;
    struct scn_step *step;
    struct scn_value *value;
}

%code {
#include "engine/scenario/tokens.h"

/* The stack has one size, so that it needs no memory of its own: 32 nested blocks and some 100 brackets. */
#define YYINITDEPTH 600
#define YYMAXDEPTH 600

#define YYLLOC_DEFAULT(current, right, count) ((current) = span_of_parts((right), (count)))

/* From the first part that has any text to the last; of nothing at all: just behind what stands before. */
static struct scn_span span_of_parts(const struct scn_span *parts, int count)
{
    int first = 1, last = count;
    while (first <= count && parts[first].first == parts[first].end)
        first++;
    while (last > first && parts[last].first == parts[last].end)
        last--;
    if (first > count)
        return (struct scn_span){ parts[0].last_line, parts[0].end_column, parts[0].last_line, parts[0].end_column, parts[0].end, parts[0].end };
    return (struct scn_span){ parts[first].line, parts[first].column, parts[last].last_line, parts[last].end_column,
                              parts[first].first, parts[last].end };
}

static int yylex(YYSTYPE *value, struct scn_span *at, struct scn_parser *parser)
{
    return scn_next_token(parser, &value->piece, at);
}

static void yyerror(const struct scn_span *at, struct scn_parser *parser, const char *message)
{
    (void)message; /* bison's own are only about its stack */
    scn_error(parser, scn_place(*at), "expressions and blocks are nested too deeply here");
    parser->stop = true;
}

static void add(struct scn_parser *parser, struct scn_list *list, void *item)
{
    scn_list_add(parser->arena, list, item);
}

static struct scn_list list_of(struct scn_parser *parser, void *item)
{
    struct scn_list list = { 0 };
    add(parser, &list, item);
    return list;
}

static struct scn_list *keep(struct scn_parser *parser, struct scn_list list)
{
    struct scn_list *kept = scn_arena_alloc(parser->arena, 1, sizeof *kept);
    *kept = list;
    return kept;
}

static struct scn_block *keep_block(struct scn_parser *parser, struct scn_block block)
{
    struct scn_block *kept = scn_arena_alloc(parser->arena, 1, sizeof *kept);
    *kept = block;
    return kept;
}

static struct scn_piece none(void)
{
    return (struct scn_piece){ "", 0 };
}

static struct scn_piece dot(void)
{
    return (struct scn_piece){ ".", 1 };
}

static struct scn_match anything(void)
{
    return (struct scn_match){ .relation = SCN_ANY };
}
}

/* The aliases are what messages call a token. */
%token END_OF_FILE 0 "the end of the file"
%token END "the end of the step"
%token UNKNOWN "something unreadable"
%token <piece> DIRECTIVE "a `//:` line" OPTION "a `--` option" INTEGER "a number" HEX "a hexadecimal number" FLOAT "a fraction"
%token <piece> DURATION "a time" STRING "a text in quotes" BACKQUOTED "a command" CODE "a code block" VARIABLE "a variable"
%token <piece> ENDPOINT "an endpoint" IPV4_ADDR "an IPv4 address" IPV6_ADDR "an IPv6 address" WORD "a name"
%token IN "a segment" OUT "`>`" NEXT "`, >`" OPTIONS "`<` and options" SUBSCRIPT "a subscript"
%token ELLIPSIS "`...`" DOTDOT "`..`" EQUAL "`==`" NOT_EQUAL "`!=`" LESS_EQUAL "`<=`" GREATER_EQUAL "`>=`" SHIFT_LEFT "`<<`"
%token SHIFT_RIGHT "`>>`" AND_AND "`&&`" OR_OR "`||`"
%token STATE "`state`" NEVER "`never`" FENCE "`fence`" EITHER "`either`" REPEAT "`repeat`" GATHER "`gather`" LET "`let`" ASSERT "`assert`"
%token LINK "`link`" INCARNATION "`incarnation`" WAIT "`wait`" SKIP "`skip`" EACH "`each`" OR "`or`" TABLE_IN "`in`"
%token ACK "`ack`" WIN "`win`" URG "`urg`" WITH "`with`" AT "`at`" FILL "`fill`" OPTION_BYTES "`options`"
%token MSS "`mss`" WSCALE "`wscale`" SACK_OK "`sackOK`" SACK "`sack`" TIMESTAMP "`TS`" VAL "`val`" ECR "`ecr`" UTO "`uto`" FAST_OPEN "`FO`"
%token FAST_OPEN_EXP "`FOEXP`" ACCECN "`ECN`" MD5 "`md5`" NOP "`nop`" EOL "`eol`" KIND "`kind`" LEN "`len`"
%token ICMP "`icmp`" MTU "`mtu`" ID "`id`" UDP "`udp`" RAW "`raw`" ENCAP "`encap`" IPV4 "`ipv4`" IPV6 "`ipv6`" GRE "`gre`" MPLS "`mpls`"

/* Where two readings are possible the longer one wins: `= NAME (` starts a call, not a note, and `1:2 -3` is a difference, not a new edge. */
%precedence SHORTER
%left OR_OR
%left AND_AND
%nonassoc EQUAL NOT_EQUAL '<' '>' LESS_EQUAL GREATER_EQUAL
%left '|'
%left '&'
%left SHIFT_LEFT SHIFT_RIGHT
%left '+' '-'
%left '*' '/' '%'
%precedence NEGATION
%precedence '('

%type <time> opt_time time
%type <ns> instant opt_delay
%type <step> step action
%type <expr> expr arith negatable primary number function argument strings opt_icmp_code icmp_word opt_variable
%type <list> opt_arguments arguments group variables rows row cells nevers or_blocks
%type <value> cell
%type <match> match edge result opt_result
%type <relation> relation
%type <endpoint> endpoint opt_endpoint
%type <piece> opt_errno hex
%type <packet> segment
%type <inbound> direction link_direction
%type <option> option option_body option_name sacks counters
%type <block> block
%type <mask> states state_name

%%

script
: %empty
| script line
;

line
: DIRECTIVE END                 { scn_directive(parser, $1, @1); }
| OPTION END                    { scn_option_line(parser, $1, @1); }
| EACH variables TABLE_IN rows END { scn_add_table(parser, &$2, &$4, @1); }
| step END                      { scn_add_step(parser, $1, @1); if (parser->stop) YYABORT; }
| error END                     { yyerrok; if (parser->stop) YYABORT; }
;

block
: block_open block_lines '}'    { $$ = scn_block_end(parser); }
;

block_open
: '{'                           { scn_block_begin(parser, @1); if (parser->stop) YYABORT; }
;

block_lines
: %empty
| block_lines step END          { scn_add_step(parser, $2, @2); if (parser->stop) YYABORT; }
| block_lines DIRECTIVE END     { scn_directive(parser, $2, @2); }
| block_lines error END         { yyerrok; if (parser->stop) YYABORT; }
;

/* ---- tables ------------------------------------------------------------------------------------------------------ */

variables
: VARIABLE                      { $$ = list_of(parser, scn_variable_expr(parser, $1, @1)); }
| variables ',' VARIABLE        { $$ = $1; add(parser, &$$, scn_variable_expr(parser, $3, @3)); }
;

rows
: row                           { $$ = list_of(parser, keep(parser, $1)); }
| rows ',' row                  { $$ = $1; add(parser, &$$, keep(parser, $3)); }
;

row
: cell                          { $$ = list_of(parser, $1); }
| '(' cells ')'                 { $$ = $2; }
;

cells
: cell                          { $$ = list_of(parser, $1); }
| cells ',' cell                { $$ = $1; add(parser, &$$, $3); }
;

cell
: number                        { $$ = scn_cell_number(parser, $1, false); }
| '-' number                    { $$ = scn_cell_number(parser, $2, true); }
| STRING                        { $$ = scn_cell_string(parser, $1, @1); }
| endpoint                      { $$ = scn_cell_endpoint(parser, $1, @1); }
| WORD                          { $$ = scn_cell_flags(parser, @$); }
| WORD '.'                      { $$ = scn_cell_flags(parser, @$); }
| '.'                           { $$ = scn_cell_flags(parser, @$); }
| '-'                           { $$ = scn_cell_flags(parser, @$); }
;

/* ---- steps and their times --------------------------------------------------------------------------------------- */

step
: opt_time action               { $$ = $2; $$->time = $1; $$->at = scn_place(@$); }
;

opt_time
: %empty                        { $$ = (struct scn_time){ .kind = SCN_TIME_NONE }; }
| time
| time ELLIPSIS instant         { $$ = scn_time_return(parser, $1, false, $3, @$); }
| time ELLIPSIS '+' instant     { $$ = scn_time_return(parser, $1, true, $4, @$); }
;

time
: instant                       { $$ = scn_time_range(parser, SCN_TIME_ABSOLUTE, false, $1, $1, @$); }
| '+' instant                   { $$ = scn_time_range(parser, SCN_TIME_RELATIVE, false, $2, $2, @$); }
| instant '~' instant           { $$ = scn_time_range(parser, SCN_TIME_ABSOLUTE, true, $1, $3, @$); }
| '+' instant '~' '+' instant   { $$ = scn_time_range(parser, SCN_TIME_RELATIVE, true, $2, $5, @$); }
| '*'                           { $$ = (struct scn_time){ .kind = SCN_TIME_ANY }; }
;

instant
: INTEGER                       { $$ = scn_instant(parser, $1, @1); }
| FLOAT                         { $$ = scn_instant(parser, $1, @1); }
| DURATION                      { $$ = scn_instant(parser, $1, @1); }
;

action
: direction segment             { $$ = scn_packet_step(parser, $1, $2); }
| function opt_result opt_errno opt_note { $$ = scn_call_step(parser, $1, $2, $3); }
| BACKQUOTED                    { $$ = scn_text_step(parser, SCN_STEP_COMMAND, $1, 1); }
| CODE                          { $$ = scn_text_step(parser, SCN_STEP_CODE, $1, 2); }
| STATE opt_endpoint states     { $$ = scn_new_step(parser, SCN_STEP_STATE); $$->state.endpoint = $2; $$->state.state_mask = $3; }
| NEVER nevers                  { $$ = scn_never_step(parser, &$2, NULL); }
| NEVER nevers block            { $$ = scn_never_step(parser, &$2, &$3); }
| FENCE opt_endpoint            { $$ = scn_new_step(parser, SCN_STEP_FENCE); $$->fence.endpoint = $2; }
| EITHER block or_blocks        { $$ = scn_either_step(parser, $2, &$3); }
| REPEAT arith opt_variable block { $$ = scn_repeat_step(parser, $2, $3, $4); }
| GATHER opt_endpoint match ':' match { $$ = scn_gather_step(parser, $2, $3, $5); }
| LET VARIABLE '=' expr         { $$ = scn_let_step(parser, scn_variable_expr(parser, $2, @2), $4); }
| ASSERT expr                   { $$ = scn_new_step(parser, SCN_STEP_ASSERT); $$->assertion.condition = $2; }
| ASSERT expr STRING            { $$ = scn_new_step(parser, SCN_STEP_ASSERT); $$->assertion.condition = $2;
                                  $$->assertion.why = scn_plain_text(parser, $3, @3); }
| LINK WORD link_direction arith opt_delay { $$ = scn_link_step(parser, $2, $3, $4, $5, @2); }
| INCARNATION opt_endpoint      { $$ = scn_new_step(parser, SCN_STEP_INCARNATION); $$->incarnation.endpoint = $2; }
| WAIT                          { $$ = scn_new_step(parser, SCN_STEP_WAIT); }
| SKIP STRING                   { $$ = scn_new_step(parser, SCN_STEP_SKIP); $$->text = scn_plain_text(parser, $2, @2); }
;

nevers
: OUT segment                   { $$ = list_of(parser, $2); }
| nevers NEXT OUT segment       { $$ = $1; add(parser, &$$, $4); }
;

or_blocks
: OR block                      { $$ = list_of(parser, keep_block(parser, $2)); }
| or_blocks OR block            { $$ = $1; add(parser, &$$, keep_block(parser, $3)); }
;

opt_variable
: %empty                        { $$ = NULL; }
| VARIABLE                      { $$ = scn_variable_expr(parser, $1, @1); }
;

states
: state_name
| states OR state_name          { $$ = $1 | $3; }
;

state_name                      /* SYN-SENT and FIN-WAIT-1 are several tokens; the text is read as a whole */
: state_words                   { $$ = scn_state_bit(parser, @1); }
;

state_words
: WORD
| state_words '-' WORD
| state_words '-' INTEGER
;

link_direction
: '<'                           { $$ = true; }
| '>'                           { $$ = false; }
;

opt_delay
: %empty                        { $$ = -1; }
| instant
;

endpoint
: ENDPOINT                      { $$ = (struct scn_endpoint_ref){ scn_endpoint_slot(parser, $1, scn_place(@1)), NULL }; }
| ENDPOINT SUBSCRIPT expr ']'   { $$ = (struct scn_endpoint_ref){ scn_endpoint_slot(parser, $1, scn_place(@1)), $3 }; }
;

opt_endpoint
: %empty                        { $$ = (struct scn_endpoint_ref){ 0, NULL }; }
| endpoint
;

/* ---- calls ------------------------------------------------------------------------------------------------------- */

function
: WORD '(' opt_arguments ')'    { $$ = scn_children(parser, scn_text_expr(parser, SCN_EXPR_CALL, $1, @1), &$3); }
;

opt_arguments
: %empty                        { $$ = (struct scn_list){ 0 }; }
| arguments
;

arguments
: argument                      { $$ = list_of(parser, $1); }
| arguments ',' argument        { $$ = $1; add(parser, &$$, $3); }
;

argument
: expr
| ELLIPSIS                      { $$ = scn_new_expr(parser, SCN_EXPR_ELLIPSIS, @1); }
| FLOAT                         { $$ = scn_float_expr(parser, $1, @1); }
| '-' FLOAT                     { $$ = scn_unary(parser, SCN_OP_NEGATE, scn_float_expr(parser, $2, @2), @1); }
| endpoint                      { $$ = scn_endpoint_expr(parser, $1, @1); }
| strings STRING                { $$ = scn_string_expr(parser, $1, $2, @2); }
| STRING ELLIPSIS               { $$ = scn_concat_expr(parser, $1, @1); }
| '[' opt_arguments ']'         { $$ = scn_children(parser, scn_new_expr(parser, SCN_EXPR_LIST, @1), &$2); }
| '{' opt_arguments '}'         { $$ = scn_children(parser, scn_new_expr(parser, SCN_EXPR_STRUCT, @1), &$2); }
| WORD '=' argument             { $$ = scn_field_expr(parser, scn_text_expr(parser, SCN_EXPR_FIELD, $1, @1), $3); }
| function '=' argument         { $$ = scn_field_expr(parser, $1, $3); }
| WORD number                   { $$ = scn_field_expr(parser, scn_text_expr(parser, SCN_EXPR_FIELD, $1, @1), $2); }
| WORD WORD                     { $$ = scn_field_expr(parser, scn_text_expr(parser, SCN_EXPR_FIELD, $1, @1),
                                                      scn_text_expr(parser, SCN_EXPR_NAME, $2, @2)); }
| WORD '[' opt_arguments ']'    { $$ = scn_field_expr(parser, scn_text_expr(parser, SCN_EXPR_FIELD, $1, @1),
                                                      scn_children(parser, scn_new_expr(parser, SCN_EXPR_LIST, @2), &$3)); }
| group ')'                     { $$ = scn_children(parser, scn_new_expr(parser, SCN_EXPR_STRUCT, @1), &$1); }
;

group                           /* (label 5, tc 0, ttl 64): two at least, as one in parentheses is itself */
: '(' argument ',' argument     { $$ = list_of(parser, $2); add(parser, &$$, $4); }
| group ',' argument            { $$ = $1; add(parser, &$$, $3); }
;

strings
: STRING                        { $$ = scn_string_expr(parser, NULL, $1, @1); }
| strings STRING                { $$ = scn_string_expr(parser, $1, $2, @2); }
;

opt_result
: %empty                        { $$ = (struct scn_match){ .relation = SCN_NONE }; }
| '=' result                    { $$ = $2; }
;

result
: match
| ELLIPSIS                      { $$ = (struct scn_match){ .relation = SCN_ANY }; }
;

opt_errno
: %empty                        { $$ = (struct scn_piece){ NULL, 0 }; }
| WORD
;

opt_note
: %empty
| '(' note_words ')'
;

note_words
: note_word                     { scn_note_word(parser, true, @1); }
| note_words note_word          { scn_note_word(parser, false, @2); }
;

note_word: WORD | INTEGER | HEX | '|' | ',' | '.' | '-' | ':' | '/' ;

/* ---- segments ---------------------------------------------------------------------------------------------------- */

direction
: IN                            { $$ = true; }
| OUT                           { $$ = false; }
;

segment
: segment_begin carriers contents opt_overrides opt_capture { $$ = scn_packet_end(parser); }
;

segment_begin
: %empty                        { scn_packet_begin(parser, @$); }
;

carriers                        /* what carries the segment: endpoint, IP fields, tunnels */
: %empty
| carriers endpoint             { parser->packet->endpoint = $2; }
| carriers '[' ip_fields ']'
| carriers '(' ip_fields ')'
| carriers ENCAP WORD WORD number { scn_packet_encapsulation(parser, @2, @5); }
| carriers tunnel tunnel_words ':' { scn_packet_encapsulation(parser, @2, @4); }
;

tunnel: IPV4 | IPV6 | GRE | MPLS ;

tunnel_words
: %empty
| tunnel_words tunnel_word
;

tunnel_word: WORD | INTEGER | HEX | IPV4_ADDR | IPV6_ADDR | '>' | ',' | '=' | '[' | ']' | '(' | ')' ;

ip_fields
: ip_field
| ip_fields ',' ip_field
;

ip_field
: WORD                          { scn_packet_ip_word(parser, $1, @1); }
| WORD match                    { scn_packet_ip_field(parser, $1, $2, @1); }
;

contents
: opt_ports flags opt_forbidden opt_sequence opt_ack opt_window opt_urgent opt_options
| ICMP icmp_word opt_icmp_code opt_mtu opt_id opt_quote
                                { parser->packet->protocol = SCN_ICMP; parser->packet->icmp.type = $2; parser->packet->icmp.code = $3; }
| UDP opt_ports '(' match ')'   { parser->packet->protocol = SCN_UDP; parser->packet->len = $4; }
| RAW octets                    { parser->packet->protocol = SCN_RAW; }
;

opt_ports
: %empty
| number '>' number             { parser->packet->src_port = scn_match_of(SCN_EQ, $1); parser->packet->dst_port = scn_match_of(SCN_EQ, $3); }
;

flags
: WORD                          { scn_packet_flags(parser, $1, none(), @$); }
| WORD '.'                      { scn_packet_flags(parser, $1, dot(), @$); }
| WORD FLOAT                    { scn_packet_flags(parser, $1, $2, @$); }
| FLOAT                         { scn_packet_flags(parser, none(), $1, @$); }
| '.'                           { scn_packet_flags(parser, none(), dot(), @$); }
| '-'                           { scn_packet_flags(parser, none(), none(), @$); }
| VARIABLE                      { parser->packet->flags_value = scn_variable_expr(parser, $1, @1); }
;

opt_forbidden
: %empty
| '!' letters                   { scn_packet_forbid(parser, @2); }
| '~' letters                   { scn_packet_leave_open(parser, @2); }
;

letters: WORD | WORD '.' | '.' ;

opt_sequence
: %empty
| sequence
;

sequence
: match ':' match '(' match ')' { parser->packet->seq = $1; parser->packet->seq_end = $3; parser->packet->len = $5; }
;

opt_ack
: %empty
| ACK match                     { parser->packet->ack = $2; }
;

opt_window
: %empty
| WIN match                     { parser->packet->window = $2; }
;

opt_urgent
: %empty
| URG match                     { parser->packet->urgent = $2; }
;

opt_options
: %empty
| OPTIONS '>'                   { parser->packet->options_given = true; }
| OPTIONS ELLIPSIS '>'          { parser->packet->options_given = parser->packet->options_any = true; }
| OPTIONS options '>'           { parser->packet->options_given = true; }
| OPTIONS options ',' ELLIPSIS '>' { parser->packet->options_given = parser->packet->options_open = true; }
;

options
: option                        { scn_packet_option(parser, $1, @1); }
| options ',' option            { scn_packet_option(parser, $3, @3); }
;

option
: option_body
| option_body LEN arith         { $$ = $1; $$->stated_len = $3; }
| '!' option_name               { $$ = $2; $$->negated = true; }
;

option_name
: MSS                           { $$ = scn_new_option(parser, PKT_OPT_MSS, SCN_OPT_PLAIN, @1); }
| WSCALE                        { $$ = scn_new_option(parser, PKT_OPT_WSCALE, SCN_OPT_PLAIN, @1); }
| SACK_OK                       { $$ = scn_new_option(parser, PKT_OPT_SACK_PERMITTED, SCN_OPT_PLAIN, @1); }
| SACK                          { $$ = scn_new_option(parser, PKT_OPT_SACK, SCN_OPT_PLAIN, @1); }
| TIMESTAMP                     { $$ = scn_new_option(parser, PKT_OPT_TIMESTAMP, SCN_OPT_PLAIN, @1); }
| UTO                           { $$ = scn_new_option(parser, PKT_OPT_USER_TIMEOUT, SCN_OPT_PLAIN, @1); }
| FAST_OPEN                     { $$ = scn_new_option(parser, PKT_OPT_FASTOPEN, SCN_OPT_PLAIN, @1); }
| FAST_OPEN_EXP                 { $$ = scn_new_option(parser, PKT_OPT_EXPERIMENT_2, SCN_OPT_PLAIN, @1); $$->experimental = true; }
| MD5                           { $$ = scn_new_option(parser, PKT_OPT_MD5, SCN_OPT_PLAIN, @1); }
| NOP                           { $$ = scn_new_option(parser, PKT_OPT_NOP, SCN_OPT_PLAIN, @1); }
| EOL                           { $$ = scn_new_option(parser, PKT_OPT_EOL, SCN_OPT_PLAIN, @1); }
| KIND number                   { $$ = scn_kind_option(parser, $2, SCN_OPT_PLAIN, @1); }
;

option_body
: MSS match                     { $$ = scn_new_option(parser, PKT_OPT_MSS, SCN_OPT_NUMBER, @1); scn_option_value(parser, $$, $2); }
| WSCALE match                  { $$ = scn_new_option(parser, PKT_OPT_WSCALE, SCN_OPT_NUMBER, @1); scn_option_value(parser, $$, $2); }
| SACK_OK                       { $$ = scn_new_option(parser, PKT_OPT_SACK_PERMITTED, SCN_OPT_PLAIN, @1); }
| sacks
| TIMESTAMP VAL match ECR match { $$ = scn_new_option(parser, PKT_OPT_TIMESTAMP, SCN_OPT_TIMESTAMP, @1);
                                  scn_option_value(parser, $$, $3); scn_option_value(parser, $$, $5); }
| UTO match                     { $$ = scn_new_option(parser, PKT_OPT_USER_TIMEOUT, SCN_OPT_NUMBER, @1); scn_option_value(parser, $$, $2); }
| FAST_OPEN                     { $$ = scn_new_option(parser, PKT_OPT_FASTOPEN, SCN_OPT_BYTES, @1); }
| FAST_OPEN hex                 { $$ = scn_new_option(parser, PKT_OPT_FASTOPEN, SCN_OPT_BYTES, @1); scn_option_hex(parser, $$, $2, @2); }
| FAST_OPEN '*'                 { $$ = scn_new_option(parser, PKT_OPT_FASTOPEN, SCN_OPT_BYTES, @1); scn_option_value(parser, $$, anything()); }
| FAST_OPEN_EXP                 { $$ = scn_new_option(parser, PKT_OPT_EXPERIMENT_2, SCN_OPT_BYTES, @1); $$->experimental = true; }
| FAST_OPEN_EXP hex             { $$ = scn_new_option(parser, PKT_OPT_EXPERIMENT_2, SCN_OPT_BYTES, @1); $$->experimental = true;
                                  scn_option_hex(parser, $$, $2, @2); }
| FAST_OPEN_EXP '*'             { $$ = scn_new_option(parser, PKT_OPT_EXPERIMENT_2, SCN_OPT_BYTES, @1); $$->experimental = true;
                                  scn_option_value(parser, $$, anything()); }
| ACCECN counters               { $$ = $2; }
| MD5 hex                       { $$ = scn_new_option(parser, PKT_OPT_MD5, SCN_OPT_BYTES, @1); scn_option_hex(parser, $$, $2, @2); }
| NOP                           { $$ = scn_new_option(parser, PKT_OPT_NOP, SCN_OPT_PLAIN, @1); }
| EOL                           { $$ = scn_new_option(parser, PKT_OPT_EOL, SCN_OPT_PLAIN, @1); }
| KIND number                   { $$ = scn_kind_option(parser, $2, SCN_OPT_BYTES, @1); }
| KIND number hex               { $$ = scn_kind_option(parser, $2, SCN_OPT_BYTES, @1); scn_option_hex(parser, $$, $3, @3); }
| KIND number '*'               { $$ = scn_kind_option(parser, $2, SCN_OPT_BYTES, @1); scn_option_value(parser, $$, anything()); }
| WORD                          { scn_unknown_option(parser, $1, @1); YYERROR; }
;

sacks
: SACK edge ':' edge            { $$ = scn_new_option(parser, PKT_OPT_SACK, SCN_OPT_SACK, @1);
                                  scn_option_value(parser, $$, $2); scn_option_value(parser, $$, $4); }
| sacks edge ':' edge           { $$ = $1; scn_option_value(parser, $$, $2); scn_option_value(parser, $$, $4); }
;

edge
: arith %prec SHORTER           { $$ = scn_match_of(SCN_EQ, $1); }
| arith DOTDOT arith %prec SHORTER { $$ = (struct scn_match){ SCN_BETWEEN, $1, $3 }; }
| '*'                           { $$ = anything(); }
;

counters
: WORD match                    { $$ = scn_new_option(parser, 0, SCN_OPT_ACCECN, @1); scn_option_counter(parser, $$, $1, $2, @1); }
| counters WORD match           { $$ = $1; scn_option_counter(parser, $$, $2, $3, @2); }
;

hex: WORD | INTEGER | HEX ;

octets
: hex                           { scn_packet_raw(parser, $1, @1); }
| octets hex                    { scn_packet_raw(parser, $2, @2); }
;

icmp_word
: WORD                          { $$ = scn_text_expr(parser, SCN_EXPR_NAME, $1, @1); }
| number
;

opt_icmp_code
: %empty                        { $$ = NULL; }
| icmp_word
;

opt_mtu
: %empty
| MTU match                     { parser->packet->icmp.mtu = $2; }
;

opt_id
: %empty
| ID match                      { parser->packet->icmp.id = $2; }
;

opt_quote
: %empty
| '[' sequence ']'              { parser->packet->icmp.quotes_segment = true; }
| '[' UDP '(' number ')' ']'    { scn_packet_quotes_other(parser, "udp", $4); }
| '[' RAW '(' number ')' ']'    { scn_packet_quotes_other(parser, "raw", $4); }
;

opt_overrides
: %empty
| WITH overrides
;

overrides
: override
| overrides ',' override
;

override
: WORD match                    { scn_packet_override(parser, $1, $2, @1, @2); }
| WORD FILL arith               { scn_packet_fill(parser, $1, $3, @1); }
| OPTION_BYTES hex              { scn_packet_option_bytes(parser, $2, @1, @2); }
;

opt_capture
: %empty
| AT VARIABLE                   { parser->packet->capture_at_slot = (int)scn_variable_slot(parser, $2, scn_place(@2)); }
;

/* ---- numbers and expressions ------------------------------------------------------------------------------------- */

match
: arith                         { $$ = scn_match_of(SCN_EQ, $1); }
| relation arith                { $$ = scn_match_of($1, $2); }
| arith DOTDOT arith            { $$ = (struct scn_match){ SCN_BETWEEN, $1, $3 }; }
| '*'                           { $$ = anything(); }
;

relation
: '='                           { $$ = SCN_EQ; }
| NOT_EQUAL                     { $$ = SCN_NE; }
| '<'                           { $$ = SCN_LT; }
| LESS_EQUAL                    { $$ = SCN_LE; }
| '>'                           { $$ = SCN_GT; }
| GREATER_EQUAL                 { $$ = SCN_GE; }
;

expr
: arith
| '!' negatable                 { $$ = scn_unary(parser, SCN_OP_NOT, $2, @1); }
| expr OR_OR expr               { $$ = scn_binary(parser, SCN_OP_LOGICAL_OR, $1, $3, @2); }
| expr AND_AND expr             { $$ = scn_binary(parser, SCN_OP_LOGICAL_AND, $1, $3, @2); }
| expr EQUAL expr               { $$ = scn_binary(parser, SCN_OP_EQ, $1, $3, @2); }
| expr NOT_EQUAL expr           { $$ = scn_binary(parser, SCN_OP_NE, $1, $3, @2); }
| expr '<' expr                 { $$ = scn_binary(parser, SCN_OP_LT, $1, $3, @2); }
| expr LESS_EQUAL expr          { $$ = scn_binary(parser, SCN_OP_LE, $1, $3, @2); }
| expr '>' expr                 { $$ = scn_binary(parser, SCN_OP_GT, $1, $3, @2); }
| expr GREATER_EQUAL expr       { $$ = scn_binary(parser, SCN_OP_GE, $1, $3, @2); }
;

negatable
: primary
| '!' negatable                 { $$ = scn_unary(parser, SCN_OP_NOT, $2, @1); }
;

arith
: primary
| '-' arith %prec NEGATION      { $$ = scn_unary(parser, SCN_OP_NEGATE, $2, @1); }
| arith '|' arith               { $$ = scn_binary(parser, SCN_OP_OR, $1, $3, @2); }
| arith '&' arith               { $$ = scn_binary(parser, SCN_OP_AND, $1, $3, @2); }
| arith SHIFT_LEFT arith        { $$ = scn_binary(parser, SCN_OP_SHL, $1, $3, @2); }
| arith SHIFT_RIGHT arith       { $$ = scn_binary(parser, SCN_OP_SHR, $1, $3, @2); }
| arith '+' arith               { $$ = scn_binary(parser, SCN_OP_ADD, $1, $3, @2); }
| arith '-' arith               { $$ = scn_binary(parser, SCN_OP_SUB, $1, $3, @2); }
| arith '*' arith               { $$ = scn_binary(parser, SCN_OP_MUL, $1, $3, @2); }
| arith '/' arith               { $$ = scn_binary(parser, SCN_OP_DIV, $1, $3, @2); }
| arith '%' arith               { $$ = scn_binary(parser, SCN_OP_MOD, $1, $3, @2); }
;

primary
: number
| VARIABLE                      { $$ = scn_variable_expr(parser, $1, @1); }
| STRING                        { $$ = scn_string_expr(parser, NULL, $1, @1); }
| WORD %prec SHORTER            { $$ = scn_text_expr(parser, SCN_EXPR_NAME, $1, @1); }
| WORD '.'                      { $$ = scn_flags_expr(parser, @$); }
| function
| '(' expr ')'                  { $$ = $2; }
;

number
: INTEGER                       { $$ = scn_integer_expr(parser, $1, @1); }
| HEX                           { $$ = scn_integer_expr(parser, $1, @1); }
| DURATION                      { $$ = scn_duration_expr(parser, $1, @1); }
;

%%

static int yyreport_syntax_error(const yypcontext_t *context, struct scn_parser *parser)
{
    enum { EXPECTED_MAX = 100 };
    yysymbol_kind_t expected[EXPECTED_MAX];
    const char *names[EXPECTED_MAX];
    const int count = yypcontext_expected_tokens(context, expected, EXPECTED_MAX);
    for (int i = 0; i < count; i++)
        names[i] = yysymbol_name(expected[i]);
    scn_syntax_error(parser, *yypcontext_location(context), names, count > 0 ? (unsigned)count : 0);
    return 0;
}
