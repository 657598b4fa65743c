/* Fuzzes frames on a stream: the input is the stream, cut by the first octet.
 *
 * A crash means that the program at the other end of a stream of frames (a virtual machine, an emulator) can bring the tester down.
 * */
#include "fuzz/input.h"
#include "targets/tap/framing.h"

#include <errno.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct framing *f = calloc(1, sizeof *f);
    struct input in = { data, size };
    size_t part = (size_t)next8(&in) + 1, frames = 0;
    ssize_t got = 0;
    must(f != NULL, "memory");
    while (in.left && got == 0) {
        uint8_t *room;
        const uint8_t *frame;
        size_t space = framing_space(f, &room), step = in.left < part ? in.left : part;
        must(space > 0, "there is room when no frame is whole");
        step = step < space ? step : space;
        memcpy(room, in.data, step);
        in.data += step;
        in.left -= step;
        framing_filled(f, step);
        while ((got = framing_next(f, &frame)) > 0) {
            must(got <= WIRE_FRAME_MAX && frame >= f->bytes && frame + got <= f->bytes + f->end, "a frame lies in the stream");
            frames += (size_t)got + FRAMING_LENGTH_BYTES;
        }
        must(got == 0 || got == -EPROTO, "an answer");
    }
    must(frames <= size, "no frame is made up");
    free(f);
    return 0;
}
