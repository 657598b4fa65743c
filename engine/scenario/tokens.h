/* The tokens as the grammar wants them: words given the meaning they have where they stand, and an END behind each step. */
#ifndef TCPASSAY_SCENARIO_TOKENS_H
#define TCPASSAY_SCENARIO_TOKENS_H

#include "engine/scenario/parse.h"

/* The next token's kind; 0 at the end. */
int scn_next_token(struct scn_parser *parser, struct scn_piece *piece, struct scn_span *at);

#endif
