/* Runs the inspection of captures over a list of frames. */
#include "engine/capture/test/mutate-inspect.h"

#include <stdlib.h>

struct inspection *inspect(const struct frames *frames)
{
    const struct inspection_config config = { .link = frames->link, .offload = OFFLOAD_AUTO };
    struct inspection *inspection = inspection_new(&config);
    if (inspection == NULL) {
        fputs("out of memory\n", stderr);
        exit(1);
    }
    for (size_t i = 0; i < frames->count; i++) {
        const struct frame *f = &frames->at[i];
        const struct capture_frame frame = {
            .number = (uint32_t)i + 1, .at_ns = f->at_ns, .bytes = f->bytes, .len = f->len, .wire_len = f->wire_len};
        inspection_frame(inspection, &frame);
    }
    inspection_finish(inspection);
    return inspection;
}

bool is_failure(const struct held_finding *finding)
{
    return finding->standing == FINDING_STANDS && finding_is_failure(finding->level);
}

const struct held_finding *first_failure(const struct inspection *inspection)
{
    const struct findings *findings = &inspection_report(inspection)->findings;
    for (uint32_t i = 1; i <= findings->count; i++)
        if (is_failure(&findings->held[i]))
            return &findings->held[i];
    return NULL;
}
