/* Sub-tests: a scenario is played once for each IP version and each row of each table. */
#include "engine/scenario/scenario.h"

#include <assert.h>
#include <stdio.h>

static unsigned version_count(const struct scenario *scenario)
{
    return (scenario->ipv4 ? 1u : 0u) + (scenario->ipv6 ? 1u : 0u);
}

static unsigned row_combinations(const struct scenario *scenario)
{
    unsigned product = 1; /* the parser keeps it within SCN_EXPANSION_MAX */
    for (unsigned i = 0; i < scenario->table_count; i++)
        product *= scenario->tables[i].row_count;
    return product;
}

unsigned scn_variant_count(const struct scenario *scenario)
{
    return version_count(scenario) * row_combinations(scenario);
}

/* "flags=S,n=0" for this combination of rows; false when it does not fit. */
static bool write_labels(const struct scenario *scenario, const unsigned rows[], char *out, size_t capacity)
{
    size_t used = 0;
    for (unsigned i = 0; i < scenario->table_count; i++) {
        const int wrote = snprintf(out + used, capacity - used, "%s%s", i ? "," : "", scenario->tables[i].row_labels[rows[i]]);
        if (wrote < 0 || (size_t)wrote >= capacity - used)
            return false;
        used += (size_t)wrote;
    }
    return true;
}

static void write_suffix(const struct scenario *scenario, unsigned combination, const unsigned rows[], struct scn_variant *out)
{
    char labels[sizeof out->suffix - sizeof "/ipv6/"];
    const char *version = version_count(scenario) == 1 ? "" : out->ip_version == 4 ? "/ipv4" : "/ipv6";
    if (scenario->table_count == 0)
        snprintf(out->suffix, sizeof out->suffix, "%s", version);
    else if (write_labels(scenario, rows, labels, sizeof labels))
        snprintf(out->suffix, sizeof out->suffix, "%s/%s", version, labels);
    else /* has no `=`, so it is no label's twin */
        snprintf(out->suffix, sizeof out->suffix, "%s/case-%u", version, combination + 1);
}

void scn_variant(const struct scenario *scenario, unsigned index, struct scn_variant *out, struct scn_value *values)
{
    const unsigned combinations = row_combinations(scenario), combination = index % combinations;
    unsigned rows[SCN_VARIABLES_MAX]; /* tables have a variable each, at least */
    assert(index < scn_variant_count(scenario));
    assert(scenario->table_count <= SCN_VARIABLES_MAX);
    for (unsigned i = 0; i < scenario->variable_count; i++)
        values[i] = (struct scn_value){ .kind = SCN_VALUE_UNSET };
    unsigned rest = combination;
    for (unsigned i = scenario->table_count; i-- > 0;) {
        const struct scn_table *table = &scenario->tables[i];
        rows[i] = rest % table->row_count;
        rest /= table->row_count;
        for (unsigned j = 0; j < table->slot_count; j++)
            values[table->slots[j]] = table->cells[rows[i] * table->slot_count + j];
    }
    out->ip_version = scenario->ipv4 && index < combinations ? 4 : 6;
    write_suffix(scenario, combination, rows, out);
}
