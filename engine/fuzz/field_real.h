/* A campaign's plays on a real target; field.c's own. Each function is what field.h says of the one without _real. */
#ifndef TCPASSAY_FUZZ_FIELD_REAL_H
#define TCPASSAY_FUZZ_FIELD_REAL_H

#include "engine/fuzz/field.h"

struct field_real;
struct field_real *field_real_open(const struct field_config *config, struct target_error *error);
void field_real_close(struct field_real *field);
bool field_real_has_room(const struct field_real *field);
unsigned field_real_playing(const struct field_real *field);
bool field_real_begin(struct field_real *field, const struct shrink_input *input, void *tag);
bool field_real_turn(struct field_real *field, bool busy);
void field_real_rest(struct field_real *field, bool anew);
const struct target_error *field_real_error(const struct field_real *field);
const struct field_deaths *field_real_deaths(const struct field_real *field);
void field_real_gather(struct field_real *field, struct result_model *sum);

#endif
