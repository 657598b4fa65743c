/* The names of sub-tests: what stands behind the scenario's own name, one label for each row of a table. */
#ifndef TCPASSAY_SCENARIO_LABEL_H
#define TCPASSAY_SCENARIO_LABEL_H

#include "engine/scenario/parse.h"

/* Gives each row a label such as "flags=S,n=0", of characters fit for a file name, distinct within the table. */
void scn_label_rows(struct scn_parser *parser, struct scn_table *table);

#endif
